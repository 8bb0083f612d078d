import { keyOf } from './change.ts';
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

/** The log that a hub catches its watches up from. `changes` is synchronous, and may throw. */
export interface ChangeLog {
	/** The revision of the last change that may be told. */
	readonly revision: Revision;
	/** The oldest revision that can still be watched from. */
	readonly compacted: Revision;
	/** Store.changes, at once. The piece ends behind `request.after`, unless that is the present. */
	changes(request: ChangesRequest): ChangesResult;
}

/** Answers Store.changes from a log. */
export function readChanges(log: ChangeLog, request: ChangesRequest): ChangesResult {
	const { after } = request;
	if (after < log.compacted) throw new CompactedError(after, log.compacted);
	if (after > log.revision) throw new FutureRevisionError(after, log.revision);
	return log.changes(request);
}

/** How many changes, of how many bytes, a watch that catches up is told at a time. */
const CATCH_UP_BATCH = { limit: 500, bytes: 4 * 1024 * 1024 };

/**
 * Tells watches what happens, for any store with a {@link ChangeLog}.
 *
 * A watch first reads the log, a batch at a time with a pause after each; whatever is committed
 * meanwhile is in the log too, so nothing needs to be buffered and memory stays bounded. Reading is
 * synchronous: once a read finds nothing more, the watch is live before anything else can happen. A read
 * that throws (an I/O error) ends its own watch with that error.
 */
export class WatchHub {
	readonly #log: ChangeLog;
	readonly #pause: (next: () => void) => void;
	readonly #watches = new Set<Watch>();
	#closed: Error | undefined;

	/** `pause` runs `next` a little later, so that a long catch-up leaves room for other work. */
	constructor(log: ChangeLog, pause: (next: () => void) => void) {
		this.#log = log;
		this.#pause = pause;
	}

	/** Opens a watch; see Store.watch. Throws what {@link close} was given once the hub is closed. */
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

	/** Tells the live watches of changes that have just been committed, in order. */
	publish(changes: readonly Change[]): void {
		for (const watch of [...this.#watches]) {
			if (!watch.live) continue;
			const own =
				watch.prefix === '' ? changes : changes.filter((change) => keyOf(change).startsWith(watch.prefix));
			if (own.length > 0) this.#tell(watch, own);
		}
	}

	/** Ends every watch with `error`; no other can be opened. */
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
		if (read.changes.length > 0) this.#tell(watch, read.changes);
		else if (read.revision === this.#log.revision) {
			watch.live = true;
			return;
		}
		this.#pause(() => this.#catchUp(watch));
	}

	/** The next changes for a watch that catches up; undefined if they cannot be read, which ends it. */
	#read(watch: Watch): ChangesResult | undefined {
		const { prefix, position: after } = watch;
		try {
			return this.#log.changes({ prefix, after, ...CATCH_UP_BATCH });
		} catch (error) {
			this.#end(watch, errorOf(error));
			return undefined;
		}
	}

	#tell(watch: Watch, changes: readonly Change[]): void {
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
			// The sink that would be told of this error is the one that threw it; other watches continue.
		}
	}
}

function errorOf(thrown: unknown): Error {
	return thrown instanceof Error ? thrown : new Error(String(thrown));
}

interface Watch {
	readonly prefix: string;
	readonly sink: WatchSink;
	/** The last revision read from the log; of no meaning once the watch is live. */
	position: Revision;
	live: boolean;
}
