import { type Change, type Entry, type Revision, RevisionMismatchError, type Write } from './store.ts';

/**
 * The change of `write` at `revision`, where `previous` is the current entry. The caller has checked
 * `expected`.
 */
export function changeOf(write: Write, revision: Revision, previous: Entry | undefined): Change {
	if (write.type === 'delete') {
		if (!previous) throw new RevisionMismatchError(write.key, undefined);
		return { type: 'delete', revision, key: write.key, previous };
	}
	const { key, value, attachment } = write;
	const createRevision = previous?.createRevision ?? revision;
	return { type: 'put', revision, entry: { key, value, revision, createRevision, attachment }, previous };
}

/** The key of a change. */
export function changedKey(change: Change): string {
	return change.type === 'put' ? change.entry.key : change.key;
}

/** Number of bytes in the values of a change, the new and the previous one. */
export function bytesOf(change: Change): number {
	const now = change.type === 'put' ? change.entry.value.length : 0;
	return now + (change.previous?.value.length ?? 0);
}
