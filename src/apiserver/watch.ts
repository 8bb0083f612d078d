import type { Timer } from '../base/clock.ts';
import type { OpenWatch, ServerContext } from './context.ts';
import { untilFresh } from './freshness.ts';
import { type ListOptions, listOptions } from './list-options.ts';
import { Matcher } from './matcher.ts';
import { type Notice, noticesOf } from './notices.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourceCache } from './resource-cache.ts';
import { readHistory } from './watch-history.ts';

/** Who is told; the calls never overlap. */
export interface NoticeSink {
	/** Notices in order, at least one. */
	notices(batch: readonly Notice[]): void;
	/** The watch is over: by its time limit, or because of `error`. Not called after `stop()`. */
	ended(error?: Error): void;
}

/** Opens a watch on a collection for a caller in this process. Throws what its options have wrong. */
export function openWatch(server: ServerContext, request: ResourceRequest, sink: NoticeSink): Watch {
	const watch = new Watch(server, request.resource, listOptions(request, 'watch'), sink);
	watch.start();
	return watch;
}

/** The revision after which a watch begins; undefined: with the objects that are there, each as ADDED. */
export function startOf(options: ListOptions, current: number): number | undefined {
	const { revision = 0, sendInitialEvents } = options;
	if (sendInitialEvents ?? revision === 0) return undefined;
	return revision || current;
}

/**
 * Whether a bookmark tells the end of the initial events: only where both were asked for, as in upstream's
 * getBookmarkAfterResourceVersionLockedFunc (cacher.go).
 */
export function marksInitialEnd({ sendInitialEvents, allowWatchBookmarks }: ListOptions): boolean {
	return sendInitialEvents === true && allowWatchBookmarks;
}

/**
 * A watch of a caller in this process, which is told at once of whatever happens; watch-reader.ts has the
 * watches of connections.
 *
 * 1. From a past revision it first tells what the resource's change window still has. Where that does not
 *    reach back so far, it catches up from the store's log; once it has come as far as the window, the
 *    window takes over.
 * 2. From nowhere (no resourceVersion, or 0) it first tells of every object that is there as ADDED.
 * 3. From a future revision it tells what comes after that.
 */
export class Watch implements OpenWatch {
	readonly #server: ServerContext;
	readonly #resource: ResourceCache;
	readonly #options: ListOptions;
	readonly #selected: Matcher;
	readonly #sink: NoticeSink;
	readonly #over = new AbortController();
	#unsubscribe: (() => void) | undefined;
	#timer: Timer | undefined;
	/** The revision that the client knows of. */
	#told = 0;

	constructor(server: ServerContext, resource: ResourceCache, options: ListOptions, sink: NoticeSink) {
		this.#server = server;
		this.#resource = resource;
		this.#options = options;
		this.#selected = new Matcher(resource.codec, options.selection);
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
		const { revision = 0, timeoutSeconds } = this.#options;
		const { cache, clock } = this.#server;
		if (timeoutSeconds) this.#timer = clock.setTimer(timeoutSeconds * 1000, () => this.#end());
		const after = startOf(this.#options, cache.revision);
		if (after === undefined) {
			if (revision <= cache.revision) this.#tellAll();
			else void this.#tellAllOf(revision);
		} else if (after >= this.#resource.window.start) this.#follow(after);
		else void this.#catchUp(after);
	}

	/** Ends it; nothing is told after this. */
	stop(): void {
		this.#over.abort();
		this.#timer?.cancel();
		this.#unsubscribe?.();
		this.#server.watches.delete(this);
	}

	#tellAll(): void {
		const { revision } = this.#server.cache;
		const found = this.#resource.candidates(this.#selected).filter((each) => this.#selected.matches(each));
		const notices: Notice[] = found.map((stored) => ({ type: 'ADDED', stored }));
		if (marksInitialEnd(this.#options)) notices.push({ type: 'BOOKMARK', revision, initialEventsEnd: true });
		this.#goLive(revision);
		if (notices.length > 0) this.#sink.notices(notices);
	}

	async #tellAllOf(revision: number): Promise<void> {
		try {
			await untilFresh(this.#server, revision, this.#over.signal);
			if (!this.#over.signal.aborted) this.#tellAll();
		} catch (error) {
			this.#end(errorFrom(error));
		}
	}

	async #catchUp(after: number): Promise<void> {
		let told = after;
		try {
			while (told < this.#resource.window.start) {
				const { changes, revision } = await readHistory(this.#server, this.#resource, told);
				if (this.#over.signal.aborted) return;
				told = revision;
				const notices = noticesOf(changes, this.#selected);
				if (notices.length > 0) this.#tell(notices, told);
			}
			if (!this.#over.signal.aborted) this.#follow(told);
		} catch (error) {
			this.#end(errorFrom(error));
		}
	}

	/** Tells what the window has after a revision, and from then on what happens. */
	#follow(after: number): void {
		const notices = noticesOf(this.#resource.window.since(after) ?? [], this.#selected);
		this.#goLive(Math.max(after, this.#server.cache.revision));
		if (notices.length > 0) this.#sink.notices(notices);
	}

	#goLive(after: number): void {
		this.#unsubscribe = this.#resource.subscribe({
			selected: this.#selected,
			after,
			notify: (notices, revision) => this.#tell(notices, revision),
			ended: (error) => this.#end(error),
		});
		this.#told = after;
		this.#server.watches.add(this);
	}

	#tell(notices: readonly Notice[], revision: number): void {
		if (this.#over.signal.aborted) return;
		this.#told = revision;
		this.#sink.notices(notices);
	}

	#end(error?: Error): void {
		if (this.#over.signal.aborted) return;
		this.stop();
		this.#sink.ended(error);
	}
}

function errorFrom(error: unknown): Error {
	return error instanceof Error ? error : new Error(String(error));
}
