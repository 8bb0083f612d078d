import assert from 'node:assert/strict';
import type { Change, Entry, Revision, Store, WatchSink } from './store.ts';

/** A change or its absence in a form that compares well. */
export interface Plain {
	readonly key: string;
	readonly text: string;
	readonly revision: Revision;
	readonly createRevision: Revision;
}

/** A sink for tests: it keeps what it is told, and fails whoever reads it if it was told wrongly. */
export class RecordingSink implements WatchSink {
	batches = 0;
	error: Error | undefined;
	/** Runs within each call of `changes`, after it was kept. */
	onBatch: () => void = () => {};
	/** Runs within `ended`. */
	onEnd: () => void = () => {};
	readonly #told: Change[] = [];
	readonly #waiting = new Set<() => void>();
	#wrong: string | undefined;

	changes(batch: readonly Change[]): void {
		// Thrown here, it would only end the watch.
		if (batch.length === 0) this.#wrong = 'a batch holds nothing';
		if (this.error) this.#wrong = 'changes follow the end';
		this.batches += 1;
		this.#told.push(...batch);
		for (const look of this.#waiting) look();
		this.onBatch();
	}

	ended(error: Error): void {
		if (this.error) this.#wrong = 'the watch ended twice';
		this.error = error;
		for (const look of this.#waiting) look();
		this.onEnd();
	}

	/** All changes told so far. */
	get changesTold(): readonly Change[] {
		assert.equal(this.#wrong, undefined);
		return this.#told;
	}

	/** The revisions told so far. */
	get revisions(): readonly Revision[] {
		return this.changesTold.map(({ revision }) => revision);
	}

	/** The keys told of so far. */
	get keys(): readonly string[] {
		return this.changesTold.map((change) => (change.type === 'put' ? change.entry.key : change.key));
	}

	/** A line per change, for comparison. */
	get plain(): readonly string[] {
		return this.changesTold.map((change) => {
			const { revision, previous } = change;
			const before = previous && plainEntry(previous);
			return change.type === 'put'
				? tellPlain(revision, change.entry.key, plainEntry(change.entry), before)
				: tellPlain(revision, change.key, undefined, before);
		});
	}

	/** Resolves once `count` changes have been told. */
	until(count: number): Promise<this> {
		return this.#when(() => this.changesTold.length >= count);
	}

	/** Resolves once `revision` or a later one has been told. */
	untilRevision(revision: Revision): Promise<this> {
		return this.#when(() => (this.changesTold.at(-1)?.revision ?? 0) >= revision);
	}

	/** Resolves once the watch has ended by itself. */
	untilEnded(): Promise<this> {
		return this.#when(() => this.error !== undefined);
	}

	#when(holds: () => boolean): Promise<this> {
		return new Promise((resolve) => {
			const look = (): void => {
				if (!holds()) return;
				this.#waiting.delete(look);
				resolve(this);
			};
			this.#waiting.add(look);
			look();
		});
	}
}

/** An entry without its bytes. */
export function plainEntry({ key, value, revision, createRevision }: Entry): Plain {
	return { key, text: decode(value), revision, createRevision };
}

/** A put (`now`) or delete of key `name` as a line of text. */
export function tellPlain(
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
