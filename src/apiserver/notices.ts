import type { ObjectChange } from './change-window.ts';
import type { Matcher } from './matcher.ts';
import type { StoredObject } from './stored-object.ts';

/** What a watch tells. */
export type Notice = ObjectNotice | Bookmark;

/** What a watch is told of an object. */
export interface ObjectNotice {
	readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
	readonly stored: StoredObject;
}

/** The watch has told everything up to `revision`. */
export interface Bookmark {
	readonly type: 'BOOKMARK';
	readonly revision: number;
	/** The objects that were there at the start have all been told. */
	readonly initialEventsEnd: boolean;
}

/** What a watch that has been told everything up to revision `after` is told of `changes`. */
export function noticesOf(
	changes: readonly ObjectChange[],
	selected: Matcher,
	after = 0,
): readonly ObjectNotice[] {
	return changes.flatMap((each) => (each.revision > after ? (noticeOf(each, selected) ?? []) : []));
}

/** What a watch is told of a change, if anything: an object that it no longer selects is deleted for it. */
export function noticeOf(change: ObjectChange, selected: Matcher): ObjectNotice | undefined {
	const { before, now } = change;
	const had = before !== undefined && selected.matches(before);
	const has = now !== undefined && selected.matches(now);
	if (has) return { type: had ? 'MODIFIED' : 'ADDED', stored: now };
	return had && change.deleted ? { type: 'DELETED', stored: change.deleted } : undefined;
}
