import type { Timer } from '../../base/clock.ts';
import type { OpenWatch, ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import { Matcher } from '../storage/matcher.ts';
import { type Notice, noticesOf } from '../storage/notices.ts';
import type { ResourceCache } from '../storage/resource-cache.ts';
import { readHistory } from '../storage/watch-history.ts';
import { untilFresh } from './freshness.ts';
import { type ListQuery, listOptions } from './list-options.ts';

/** Receiver of a watch in this process. Its calls never overlap. */
export interface NoticeSink {
	/** Called with at least one notice, in order. */
	notices(batch: readonly Notice[]): void;
	/** Called when the watch ends by its time limit, or because of `error`. Not called after `stop()`. */
	ended(error?: Error): void;
}

/**
 * Opens a watch on a collection for a caller in this process. Throws Invalid or BadRequest for options that
 * are not valid.
 */
export function openWatch(server: ServerContext, request: ResourceRequest, sink: NoticeSink): Watch {
	const watch = new Watch(server, request.resource, listOptions(request, 'watch'), sink);
	watch.start();
	return watch;
}

/** The revision after which a watch starts. Undefined: it starts with the existing objects, each as ADDED. */
export function startOf(options: ListQuery, current: number): number | undefined {
	const { revision = 0, sendInitialEvents } = options;
	if (sendInitialEvents ?? revision === 0) return undefined;
	return revision || current;
}

/**
 * Whether a bookmark marks the end of the initial events: only if the client asked for both, as in upstream's
 * getBookmarkAfterResourceVersionLockedFunc (cacher.go).
 */
export function marksInitialEnd({ sendInitialEvents, allowWatchBookmarks }: ListQuery): boolean {
	return sendInitialEvents === true && allowWatchBookmarks;
}

/**
 * A watch of a caller in this process, which is notified synchronously of each change; watch-reader.ts has
 * the watches of connections.
 *
 * 1. From a past revision it first sends the later changes in the resource's change window. If the window
 *    does not reach back that far, it reads the store's log until it has reached the window.
 * 2. Without a resourceVersion, or with 0, it first sends every existing object as ADDED.
 * 3. From a future revision it sends the changes after that revision.
 */
export class Watch implements OpenWatch {
	readonly #server: ServerContext;
	readonly #resource: ResourceCache;
	readonly #options: ListQuery;
	readonly #selected: Matcher;
	readonly #sink: NoticeSink;
	readonly #abortController = new AbortController();
	#unsubscribe: (() => void) | undefined;
	#timer: Timer | undefined;
	/** The revision up to which the caller has been notified. */
	#sentRevision = 0;

	constructor(server: ServerContext, resource: ResourceCache, options: ListQuery, sink: NoticeSink) {
		this.#server = server;
		this.#resource = resource;
		this.#options = options;
		this.#selected = new Matcher(resource.codec, options.selection);
		this.#sink = sink;
	}

	/** Sends a bookmark, if the caller asked for bookmarks and has not reached the revision yet. */
	bookmark(revision: number): void {
		if (this.#options.allowWatchBookmarks && this.#sentRevision < revision) {
			this.#send([{ type: 'BOOKMARK', revision, initialEventsEnd: false }], revision);
		}
	}

	/** Starts the watch; see {@link openWatch}. */
	start(): void {
		const { revision = 0, timeoutSeconds } = this.#options;
		const { cache, clock } = this.#server;
		if (timeoutSeconds) this.#timer = clock.setTimer(timeoutSeconds * 1000, () => this.#end());
		const after = startOf(this.#options, cache.revision);
		if (after === undefined) {
			if (revision <= cache.revision) this.#sendState();
			else void this.#sendStateOnce(revision);
		} else if (after >= this.#resource.window.start) this.#follow(after);
		else void this.#catchUp(after);
	}

	/** Ends the watch. The sink is not called after this. */
	stop(): void {
		this.#abortController.abort();
		this.#timer?.cancel();
		this.#unsubscribe?.();
		this.#server.watches.delete(this);
	}

	#sendState(): void {
		const { revision } = this.#server.cache;
		const found = this.#resource.candidates(this.#selected).filter((each) => this.#selected.matches(each));
		const notices: Notice[] = found.map((stored) => ({ type: 'ADDED', stored }));
		if (marksInitialEnd(this.#options)) notices.push({ type: 'BOOKMARK', revision, initialEventsEnd: true });
		this.#goLive(revision);
		if (notices.length > 0) this.#sink.notices(notices);
	}

	async #sendStateOnce(revision: number): Promise<void> {
		try {
			await untilFresh(this.#server, revision, this.#abortController.signal);
			if (!this.#abortController.signal.aborted) this.#sendState();
		} catch (error) {
			this.#end(errorFrom(error));
		}
	}

	async #catchUp(after: number): Promise<void> {
		let sentRevision = after;
		try {
			while (sentRevision < this.#resource.window.start) {
				const { changes, revision } = await readHistory(this.#server, this.#resource, sentRevision);
				if (this.#abortController.signal.aborted) return;
				sentRevision = revision;
				const notices = noticesOf(changes, this.#selected);
				if (notices.length > 0) this.#send(notices, sentRevision);
			}
			if (!this.#abortController.signal.aborted) this.#follow(sentRevision);
		} catch (error) {
			this.#end(errorFrom(error));
		}
	}

	/** Sends the changes in the window after a revision, and subscribes to later ones. */
	#follow(after: number): void {
		const notices = noticesOf(this.#resource.window.changesAfter(after) ?? [], this.#selected);
		this.#goLive(Math.max(after, this.#server.cache.revision));
		if (notices.length > 0) this.#sink.notices(notices);
	}

	#goLive(after: number): void {
		this.#unsubscribe = this.#resource.subscribe({
			selected: this.#selected,
			after,
			notify: (notices, revision) => this.#send(notices, revision),
			ended: (error) => this.#end(error),
		});
		this.#sentRevision = after;
		this.#server.watches.add(this);
	}

	#send(notices: readonly Notice[], revision: number): void {
		if (this.#abortController.signal.aborted) return;
		this.#sentRevision = revision;
		this.#sink.notices(notices);
	}

	#end(error?: Error): void {
		if (this.#abortController.signal.aborted) return;
		this.stop();
		this.#sink.ended(error);
	}
}

function errorFrom(error: unknown): Error {
	return error instanceof Error ? error : new Error(String(error));
}
