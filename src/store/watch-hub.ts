import { changedKey } from './change.ts';
import {
	type Change,
	type ChangesRequest,
	type ChangesResult,
	CompactedError,
	FutureRevisionError,
	type Revision,
	type WatchHandle,
	type WatchSink,
} from './store.ts';

/** The log from which a hub reads the history. `changes` is synchronous, and may throw. */
export interface ChangeLog {
	/** The revision of the last committed change. */
	readonly revision: Revision;
	/** The oldest revision from which a watch can start. */
	readonly compacted: Revision;
	/** As Store.changes, but synchronous, and without its checks of `request.after`. */
	changes(request: ChangesRequest): ChangesResult;
}

/** Implements Store.changes on a log. Throws CompactedError or FutureRevisionError. */
export function readChanges(log: ChangeLog, request: ChangesRequest): ChangesResult {
	const { after } = request;
	if (after < log.compacted) throw new CompactedError(after, log.compacted);
	if (after > log.revision) throw new FutureRevisionError(after, log.revision);
	return log.changes(request);
}

/** Limits of one batch from the history. A batch is read and delivered in one event loop turn. */
const CATCH_UP_BATCH = { limit: 500, bytes: 4 * 1024 * 1024 };

/**
 * Implements watches for any store with a {@link ChangeLog}.
 *
 * A watch first reads the history in batches, with a pause after each. Changes that are committed meanwhile
 * are in the log too, so the hub buffers nothing and its memory is bounded. Reads are synchronous: once a
 * read reaches the current revision, the watch is live before another change can be committed, so none is
 * lost or delivered twice. A read that throws (an I/O error) ends its own watch with that error.
 */
export class WatchHub {
	readonly #log: ChangeLog;
	readonly #pause: (next: () => void) => void;
	readonly #watches = new Set<Watch>();
	#closed: Error | undefined;

	/**
	 * `pause` must run `next` in a later turn or microtask, so that a long history does not block other work.
	 */
	constructor(log: ChangeLog, pause: (next: () => void) => void) {
		this.#log = log;
		this.#pause = pause;
	}

	/** Starts a watch; see Store.watch. After {@link close} it throws the error that was passed there. */
	open(request: { readonly prefix: string; readonly after: Revision }, sink: WatchSink): WatchHandle {
		if (this.#closed) throw this.#closed;
		const { prefix, after } = request;
		if (after < this.#log.compacted) throw new CompactedError(after, this.#log.compacted);
		if (after > this.#log.revision) throw new FutureRevisionError(after, this.#log.revision);
		const watch: Watch = { prefix, sink, position: after, live: after === this.#log.revision };
		this.#watches.add(watch);
		if (!watch.live) this.#pause(() => this.#catchUp(watch));
		return { stop: () => void this.#watches.delete(watch) };
	}

	/** Delivers changes that have just been committed, in order, to the live watches. */
	publish(changes: readonly Change[]): void {
		// A copy, since a sink may start or stop watches.
		for (const watch of [...this.#watches]) {
			if (!watch.live) continue;
			const own =
				watch.prefix === ''
					? changes
					: changes.filter((change) => changedKey(change).startsWith(watch.prefix));
			if (own.length > 0) this.#deliver(watch, own);
		}
	}

	/** Ends every watch with `error`. No watch can be started afterwards. */
	close(error: Error): void {
		this.#closed = error;
		for (const watch of [...this.#watches]) this.#end(watch, error);
	}

	#catchUp(watch: Watch): void {
		if (!this.#watches.has(watch)) return;
		if (watch.position < this.#log.compacted) {
			this.#end(watch, new CompactedError(watch.position, this.#log.compacted));
			return;
		}
		const read = this.#read(watch);
		if (!read) return;
		watch.position = read.revision;
		if (read.changes.length > 0) this.#deliver(watch, read.changes);
		else if (read.revision === this.#log.revision) {
			watch.live = true;
			return;
		}
		this.#pause(() => this.#catchUp(watch));
	}

	/** Reads the next batch of the history. Returns undefined if that fails, which ends the watch. */
	#read(watch: Watch): ChangesResult | undefined {
		const { prefix, position: after } = watch;
		try {
			return this.#log.changes({ prefix, after, ...CATCH_UP_BATCH });
		} catch (error) {
			this.#end(watch, errorOf(error));
			return undefined;
		}
	}

	#deliver(watch: Watch, changes: readonly Change[]): void {
		if (!this.#watches.has(watch)) return;
		try {
			watch.sink.changes(changes);
		} catch (error) {
			this.#end(watch, errorOf(error));
		}
	}

	#end(watch: Watch, error: Error): void {
		if (!this.#watches.delete(watch)) return;
		try {
			watch.sink.ended(error);
		} catch {
			// Ignored: only the sink that threw could be notified of the error. Other watches continue.
		}
	}
}

function errorOf(thrown: unknown): Error {
	return thrown instanceof Error ? thrown : new Error(String(thrown));
}

interface Watch {
	readonly prefix: string;
	readonly sink: WatchSink;
	/** The last revision read from the history. Unused once the watch is live. */
	position: Revision;
	/** Whether the watch has reached the current revision and receives changes as they are committed. */
	live: boolean;
}
