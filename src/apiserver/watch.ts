import { expired } from '../api/meta/api-error.ts';
import type { Timer } from '../base/clock.ts';
import { type Change, CompactedError, type WatchHandle } from '../store/store.ts';
import type { OpenWatch, ServerContext } from './context.ts';
import { tooLargeRevision } from './errors.ts';
import { type ListOptions, listOptions } from './list-options.ts';
import type { ResourceRequest } from './request.ts';
import { noticesOf, ObjectChange, type ObjectNotice, type ResourceCache } from './resource-cache.ts';
import { StoredObject } from './stored-object.ts';

/** What a watch tells. */
export type Notice = ObjectNotice | Bookmark;

/** The watch has told everything up to `revision`. */
export interface Bookmark {
	readonly type: 'BOOKMARK';
	readonly revision: number;
	/** The objects that were there at the start have all been told. */
	readonly initialEventsEnd: boolean;
}

/** Who is told; the calls never overlap. */
export interface NoticeSink {
	/** Notices in order, at least one. */
	notices(batch: readonly Notice[]): void;
	/** The watch is over: by its time limit, or because of `error`. Not called after `stop()`. */
	ended(error?: Error): void;
}

/**
 * Opens a watch on a collection. Throws Expired for a resourceVersion whose history is gone, and
 * Timeout for one that has not come yet.
 */
export function openWatch(server: ServerContext, request: ResourceRequest, sink: NoticeSink): Watch {
	const watch = new Watch(server, request.resource, listOptions(request, 'watch'), sink);
	watch.start();
	return watch;
}

/**
 * A watch under way.
 *
 * 1. From a past revision it first tells what the resource's memory still has. Where that does not reach
 *    back so far, it catches up from the store's log, by a store watch of its own; once that has come as
 *    far as the cache, the cache takes over and skips what was told already.
 * 2. From nowhere (no resourceVersion, or 0) it first tells of every object that is there as ADDED.
 */
export class Watch implements OpenWatch {
	readonly #server: ServerContext;
	readonly #resource: ResourceCache;
	readonly #options: ListOptions;
	readonly #sink: NoticeSink;
	#source: WatchHandle | undefined;
	#timer: Timer | undefined;
	/** The revision that the client knows of. */
	#told = 0;
	#stopped = false;

	constructor(server: ServerContext, resource: ResourceCache, options: ListOptions, sink: NoticeSink) {
		this.#server = server;
		this.#resource = resource;
		this.#options = options;
		this.#sink = sink;
	}

	/** Tells a bookmark, if the client wants such and does not know of the revision anyway. */
	bookmark(revision: number): void {
		if (this.#options.allowWatchBookmarks && this.#told < revision) {
			this.#tell([{ type: 'BOOKMARK', revision, initialEventsEnd: false }], revision);
		}
	}

	/** Begins; see {@link openWatch}. */
	start(): void {
		const { revision = 0, sendInitialEvents, timeoutSeconds } = this.#options;
		const { cache, clock } = this.#server;
		if (revision > cache.revision) throw tooLargeRevision(revision, cache.revision);
		if (timeoutSeconds) this.#timer = clock.setTimer(timeoutSeconds * 1000, () => this.#end());
		if (sendInitialEvents ?? revision === 0) this.#tellAll();
		else if (revision === 0) this.#goLive(cache.revision);
		else this.#tellSince(revision);
	}

	/** Ends it; nothing is told after this. */
	stop(): void {
		this.#stopped = true;
		this.#timer?.cancel();
		this.#source?.stop();
		this.#server.watches.delete(this);
	}

	#tellAll(): void {
		const { revision } = this.#server.cache;
		const found = this.#resource.select(this.#options.selection);
		const notices: Notice[] = found.map((stored) => ({ type: 'ADDED', stored }));
		if (this.#options.allowWatchBookmarks) {
			notices.push({ type: 'BOOKMARK', revision, initialEventsEnd: true });
		}
		this.#goLive(revision);
		if (notices.length > 0) this.#sink.notices(notices);
	}

	#tellSince(revision: number): void {
		const changes = this.#resource.changesSince(revision);
		if (!changes) {
			this.#catchUp(revision);
			return;
		}
		const { selection } = this.#options;
		const notices = noticesOf(changes, { selection, after: revision }, this.#resource.definition);
		this.#goLive(this.#server.cache.revision);
		if (notices.length > 0) this.#sink.notices(notices);
	}

	#goLive(after: number): void {
		const { watches } = this.#server;
		const stop = this.#resource.subscribe({
			selection: this.#options.selection,
			after,
			notify: (notices, revision) => this.#tell(notices, revision),
			ended: (error) => this.#end(error),
		});
		this.#source?.stop();
		this.#source = { stop };
		this.#told = after;
		watches.add(this);
	}

	#catchUp(after: number): void {
		const { store } = this.#server;
		const { codec } = this.#resource;
		try {
			const source = store.watch(
				{ prefix: codec.keyPrefix, after },
				{
					changes: (batch) => this.#takeHistory(batch),
					ended: (error) => this.#end(historyError(error, after)),
				},
			);
			// It may have told everything already, and the cache taken over.
			if (this.#source || this.#stopped) source.stop();
			else this.#source = source;
		} catch (error) {
			this.stop();
			throw historyError(error, after);
		}
	}

	#takeHistory(batch: readonly Change[]): void {
		const last = batch.at(-1)?.revision ?? 0;
		if (this.#stopped || this.#server.watches.has(this)) return;
		const { selection } = this.#options;
		const changes = batch.map((change) => changeOf(this.#resource, change));
		const notices = noticesOf(changes, { selection, after: 0 }, this.#resource.definition);
		if (notices.length > 0) this.#tell(notices, last);
		if (!this.#stopped && last >= this.#resource.changedAt) this.#goLive(last);
	}

	#tell(notices: readonly Notice[], revision: number): void {
		if (this.#stopped) return;
		this.#told = revision;
		this.#sink.notices(notices);
	}

	#end(error?: Error): void {
		if (this.#stopped) return;
		this.stop();
		this.#sink.ended(error);
	}
}

function changeOf(resource: ResourceCache, change: Change): ObjectChange {
	const { revision, previous } = change;
	const before = previous && new StoredObject(resource.codec, previous);
	return new ObjectChange(revision, before, change.type === 'put' ? resource.read(change) : undefined);
}

function historyError(error: unknown, after: number): Error {
	if (error instanceof CompactedError) {
		return expired(`too old resource version: ${after} (${error.oldest})`);
	}
	return error instanceof Error ? error : new Error(String(error));
}
