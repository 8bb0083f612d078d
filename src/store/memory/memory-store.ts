import { bytesOf, changedKey, changeOf } from '../change.ts';
import { ReadLimit } from '../read-limit.ts';
import {
	type Change,
	type ChangesRequest,
	type ChangesResult,
	CompactedError,
	type Entry,
	FutureRevisionError,
	KeyExistsError,
	type RangeRequest,
	type RangeResult,
	type Revision,
	RevisionMismatchError,
	type Store,
	StoreUnavailableError,
	type WatchHandle,
	type WatchSink,
	type Write,
} from '../store.ts';
import { type ChangeLog, readChanges, WatchHub } from '../watch-hub.ts';

/**
 * A store in memory, for tests, the simulation and temporary servers. It keeps its history until it is
 * compacted. It uses microtasks only, no timers and no I/O, so that a simulation is deterministic.
 */
export class MemoryStore implements Store {
	/** Never resolves, as memory does not fail. */
	readonly failure = new Promise<never>(() => undefined);
	/** The versions of each key, the oldest first. A deletion is a version without an entry. */
	readonly #versions = new Map<string, Version[]>();
	#changes: Change[] = [];
	readonly #log: ChangeLog;
	readonly #hub: WatchHub;
	#revision: Revision = 0;
	#compacted: Revision = 0;
	#sortedKeys: readonly string[] | undefined;
	#closed = false;

	constructor() {
		this.#log = this.#openLog();
		this.#hub = new WatchHub(this.#log, queueMicrotask);
	}

	get revision(): Revision {
		return this.#revision;
	}

	async write(write: Write): Promise<Revision> {
		this.#assertOpen();
		// As on disk, the write takes effect only after write() has returned, so that callers cannot rely on
		// more.
		await undefined;
		const current = this.#current(write.key);
		if (write.type === 'create') {
			if (current) throw new KeyExistsError(write.key);
		} else if (current?.revision !== write.expected) {
			throw new RevisionMismatchError(write.key, current?.revision);
		}
		this.#revision += 1;
		const change = changeOf(write, this.#revision, current);
		const kept = withoutAttachment(change);
		this.#keep(write.key, {
			revision: this.#revision,
			entry: kept.type === 'put' ? kept.entry : undefined,
		});
		this.#changes.push(kept);
		this.#hub.publish([change]);
		return change.revision;
	}

	async get(key: string): Promise<Entry | undefined> {
		this.#assertOpen();
		return this.#current(key);
	}

	async range(request: RangeRequest): Promise<RangeResult> {
		const { prefix, after = '', revision } = request;
		this.#assertOpen();
		const asOf = revision ?? this.#revision;
		if (asOf < this.#compacted) throw new CompactedError(asOf, this.#compacted);
		if (asOf > this.#revision) throw new FutureRevisionError(asOf, this.#revision);
		const entries: Entry[] = [];
		const limit = new ReadLimit(request);
		for (const key of this.#keys()) {
			if (!key.startsWith(prefix) || (after !== '' && compareKeys(key, after) <= 0)) continue;
			const entry = this.#versions.get(key)?.findLast((version) => version.revision <= asOf)?.entry;
			if (!entry) continue;
			if (limit.isReached) return { revision: asOf, entries, more: true };
			limit.count(entry.value.length);
			entries.push(entry);
		}
		return { revision: asOf, entries, more: false };
	}

	async changes(request: ChangesRequest): Promise<ChangesResult> {
		this.#assertOpen();
		return readChanges(this.#log, request);
	}

	watch(request: { readonly prefix: string; readonly after: Revision }, sink: WatchSink): WatchHandle {
		return this.#hub.open(request, sink);
	}

	async compact(revision: Revision): Promise<void> {
		this.#assertOpen();
		if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
		if (revision <= this.#compacted) return;
		this.#compacted = revision;
		// Keeps the version that is current at `revision`, unless it is a deletion, and all later ones.
		for (const [key, versions] of this.#versions) {
			const firstKept = versions.findLastIndex((version) => version.revision <= revision);
			const kept = versions.slice(Math.max(firstKept, 0));
			if (kept[0] && kept[0].revision <= revision && !kept[0].entry) kept.shift();
			if (kept.length > 0) this.#versions.set(key, kept);
			else this.#versions.delete(key);
		}
		this.#sortedKeys = undefined;
		this.#changes = this.#changes.slice(this.#indexAfter(revision));
	}

	async close(): Promise<void> {
		this.#closed = true;
		// Pending writes were queued one microtask earlier, so they finish before the watches end.
		await undefined;
		this.#hub.close(new StoreUnavailableError('the store is closed'));
	}

	#assertOpen(): void {
		if (this.#closed) throw new StoreUnavailableError('the store is closed');
	}

	/** The view for the hub. Getters, since revision and compacted change. */
	#openLog(): ChangeLog {
		const revision = (): Revision => this.#revision;
		const compacted = (): Revision => this.#compacted;
		return {
			get revision() {
				return revision();
			},
			get compacted() {
				return compacted();
			},
			changes: (request) => {
				const { prefix, after } = request;
				const limit = new ReadLimit(request);
				const found: Change[] = [];
				for (let i = this.#indexAfter(after); i < this.#changes.length && !limit.isReached; i++) {
					const change = this.#changes[i];
					if (!change || !changedKey(change).startsWith(prefix)) continue;
					limit.count(bytesOf(change));
					found.push(change);
				}
				const last = limit.isReached ? found.at(-1) : undefined;
				return { revision: last?.revision ?? this.#revision, changes: found };
			},
		};
	}

	/**
	 * The index of the first change after `revision`. Computed, since revisions in the history have no gaps.
	 */
	#indexAfter(revision: Revision): number {
		const first = this.#changes[0]?.revision ?? this.#revision + 1;
		return Math.max(0, Math.min(revision + 1 - first, this.#changes.length));
	}

	#current(key: string): Entry | undefined {
		return this.#versions.get(key)?.at(-1)?.entry;
	}

	/** Appends a version. A new key makes the sorted list of keys stale. */
	#keep(key: string, version: Version): void {
		const versions = this.#versions.get(key);
		if (versions) versions.push(version);
		else {
			this.#versions.set(key, [version]);
			this.#sortedKeys = undefined;
		}
	}

	/** All keys in order. Sorted again only after a key was added, since most writes change existing keys. */
	#keys(): readonly string[] {
		this.#sortedKeys ??= [...this.#versions.keys()].sort(compareKeys);
		return this.#sortedKeys;
	}
}

/** The change without the object attached for live watchers, which the history would keep in memory. */
function withoutAttachment(change: Change): Change {
	if (change.type === 'delete' || change.entry.attachment === undefined) return change;
	const { attachment: _attachment, ...entry } = change.entry;
	return { ...change, entry };
}

interface Version {
	readonly revision: Revision;
	readonly entry: Entry | undefined;
}

/** Compares by UTF-8 bytes, as the contract requires. The order of JavaScript strings, by UTF-16, differs. */
function compareKeys(a: string, b: string): number {
	return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
