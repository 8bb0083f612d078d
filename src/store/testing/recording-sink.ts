import assert from 'node:assert/strict';
import type { Change, Entry, Revision, Store, WatchSink } from '../store.ts';

/** An entry with its value as text, for comparison. */
export interface Plain {
	readonly key: string;
	readonly text: string;
	readonly revision: Revision;
	readonly createRevision: Revision;
}

/** A sink for tests. It records all changes, and reading them fails if a call violated the contract. */
export class RecordingSink implements WatchSink {
	batches = 0;
	error: Error | undefined;
	/** Called within each call of `changes`, after the batch was recorded. */
	onBatch: () => void = () => {};
	/** Called within `ended`. */
	onEnd: () => void = () => {};
	readonly #received: Change[] = [];
	readonly #plain: string[] = [];
	readonly #waiting = new Set<() => void>();
	#wrong: string | undefined;

	changes(batch: readonly Change[]): void {
		// Recorded, since an assertion that fails here would only end the watch.
		if (batch.length === 0) this.#wrong = 'a batch is empty';
		if (this.error) this.#wrong = 'changes after the end of the watch';
		this.batches += 1;
		this.#received.push(...batch);
		// At once, since the previous values may be compacted before the test reads them.
		this.#plain.push(...batch.map(plainOf));
		for (const check of this.#waiting) check();
		this.onBatch();
	}

	ended(error: Error): void {
		if (this.error) this.#wrong = 'the watch ended twice';
		this.error = error;
		for (const check of this.#waiting) check();
		this.onEnd();
	}

	/** All changes received so far. */
	get received(): readonly Change[] {
		assert.equal(this.#wrong, undefined);
		return this.#received;
	}

	/** The revisions of the changes received so far. */
	get revisions(): readonly Revision[] {
		return this.received.map(({ revision }) => revision);
	}

	/** The keys of the changes received so far. */
	get keys(): readonly string[] {
		return this.received.map((change) => (change.type === 'put' ? change.entry.key : change.key));
	}

	/** The changes as lines of text, for comparison. */
	get plain(): readonly string[] {
		assert.equal(this.#wrong, undefined);
		return this.#plain;
	}

	/** Resolves once `count` changes have been received. */
	until(count: number): Promise<this> {
		return this.#when(() => this.received.length >= count);
	}

	/** Resolves once a change at `revision` or a later one has been received. */
	untilRevision(revision: Revision): Promise<this> {
		return this.#when(() => (this.received.at(-1)?.revision ?? 0) >= revision);
	}

	/** Resolves once the store has ended the watch. */
	untilEnded(): Promise<this> {
		return this.#when(() => this.error !== undefined);
	}

	#when(holds: () => boolean): Promise<this> {
		return new Promise((resolve) => {
			const check = (): void => {
				if (!holds()) return;
				this.#waiting.delete(check);
				resolve(this);
			};
			this.#waiting.add(check);
			check();
		});
	}
}

function plainOf(change: Change): string {
	const { revision, previous } = change;
	const before = previous && plainEntry(previous);
	return change.type === 'put'
		? plainChange(revision, change.entry.key, plainEntry(change.entry), before)
		: plainChange(revision, change.key, undefined, before);
}

/** The entry with its value as text. */
export function plainEntry({ key, value, revision, createRevision }: Entry): Plain {
	return { key, text: decode(value), revision, createRevision };
}

/** A change of the key `name` as a line of text: a put of `now`, or a delete. */
export function plainChange(
	revision: Revision,
	name: string,
	now: Plain | undefined,
	before: Plain | undefined,
): string {
	const was = before ? `, was ${before.text} at ${before.revision}` : '';
	return now
		? `${revision} put ${name}=${now.text} (created ${now.createRevision})${was}`
		: `${revision} delete ${name}${was}`;
}

/** Creates a key with a text. */
export function create(store: Store, name: string, text: string): Promise<Revision> {
	return store.write({ type: 'create', key: name, value: encode(text) });
}

/** Updates a key that is at revision `expected`. */
export function update(store: Store, name: string, text: string, expected: Revision): Promise<Revision> {
	return store.write({ type: 'update', key: name, value: encode(text), expected });
}

/** Deletes a key that is at revision `expected`. */
export function remove(store: Store, name: string, expected: Revision): Promise<Revision> {
	return store.write({ type: 'delete', key: name, expected });
}

/** The bytes of a text. */
export function encode(text: string): Uint8Array {
	return new TextEncoder().encode(text);
}

/** The text of bytes. */
export function decode(value: Uint8Array): string {
	return new TextDecoder().decode(value);
}
