import type { Timer } from '../../base/clock.ts';
import type { OpenWatch, ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { ObjectChange } from '../storage/change-window.ts';
import { Matcher } from '../storage/matcher.ts';
import { type Notice, noticeOf } from '../storage/notices.ts';
import type { ResourceReader } from '../storage/resource-cache.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { readHistory } from '../storage/watch-history.ts';
import { untilFresh } from './freshness.ts';
import { type ListQuery, listOptions } from './list-options.ts';

/** The result of a step of a watch. */
export type WatchStep =
	/** The next notices, in order. If there are none, the step has used up its limit and there may be more. */
	| { readonly type: 'notices'; readonly notices: readonly Notice[] }
	/** There is nothing to read. The reader calls `wake` when there may be. */
	| { readonly type: 'waiting' }
	/** The watch has ended: by its time limit, or because of `error`. */
	| { readonly type: 'ended'; readonly error?: unknown };

/** Callbacks of a reader. */
export interface WatchReaderEvents {
	/** Called after a step that returned `waiting`, when the next step may return something. */
	readonly wake: () => void;
	/** Called once when the watch ends, for whatever reason. */
	readonly ended: () => void;
}

/** The revision after which a watch starts. Undefined: it starts with the existing objects, each as ADDED. */
function startOf(options: ListQuery, current: number): number | undefined {
	const { revision = 0, sendInitialEvents } = options;
	if (sendInitialEvents ?? revision === 0) return undefined;
	return revision || current;
}

/**
 * Whether a bookmark marks the end of the initial events: only if the client asked for both, as in upstream's
 * getBookmarkAfterResourceVersionLockedFunc (cacher.go).
 */
function marksInitialEnd({ sendInitialEvents, allowWatchBookmarks }: ListQuery): boolean {
	return sendInitialEvents === true && allowWatchBookmarks;
}

/** Maximum number and bytes of the changes or objects that a step processes: a few milliseconds of work. */
const STEP_OBJECTS = 64;
const STEP_BYTES = 64 * 1024;

/** Made once: creating an error for each watch that ends costs more than ending it. */
const OVER = new Error('the watch is over');

/** The source of the next notices. */
type Source =
	/** An asynchronous read is running; its result replaces this source. */
	| { readonly type: 'pending' }
	/** The initial objects; `next` is the index of the next one to process. */
	| { readonly type: 'state'; readonly objects: readonly StoredObject[]; next: number; readonly at: number }
	/** A part of the store's log. */
	| { readonly type: 'log'; readonly changes: readonly ObjectChange[]; next: number; readonly at: number }
	/** The resource's change window. */
	| { readonly type: 'window' }
	| { readonly type: 'ended'; readonly error?: unknown };

/**
 * A watch: a position in the history, which advances when its client takes notices. Nothing is buffered for a
 * slow client, however many changes happen meanwhile.
 *
 * 1. A watch without a resourceVersion starts with the objects of one revision, as they were then, however
 *    long the client takes to read them.
 * 2. It then reads the resource's change window, which all watches share. If that does not reach back to its
 *    position, it reads the store's log.
 * 3. It ends with Expired if the log was compacted beyond its position. By then the response has started, so
 *    the client receives the error as an event, as upstream (newErrWatcher in cacher.go).
 */
export class WatchReader implements OpenWatch {
	readonly #server: ServerContext;
	readonly #resource: ResourceReader;
	readonly #options: ListQuery;
	readonly #selected: Matcher;
	readonly #events: WatchReaderEvents;
	readonly #abortController = new AbortController();
	readonly #unsubscribe: () => void;
	readonly #timer: Timer | undefined;
	#source: Source = { type: 'pending' };
	/** The watch has handed out everything up to this revision. */
	#sentRevision = 0;
	#bookmarkDue = false;
	/** The time limit has expired. Changes that happened until now are still sent. */
	#timedOut = false;
	/** The last step found nothing, so `wake` must be called when there may be something. */
	#waiting = false;

	/** Validates the options of the request. Throws Invalid or BadRequest. Nothing is read yet. */
	constructor(server: ServerContext, request: ResourceRequest, events: WatchReaderEvents) {
		const { resource } = request;
		this.#server = server;
		this.#resource = resource;
		this.#options = listOptions(request, 'watch');
		this.#selected = new Matcher(resource.codec, this.#options.selection);
		this.#events = events;
		const { timeoutSeconds, revision = 0 } = this.#options;
		this.#timer = timeoutSeconds
			? server.clock.setTimer(timeoutSeconds * 1000, () => this.#onTimeout())
			: undefined;
		this.#unsubscribe = resource.onChange(() => this.#wakeIfWaiting());
		server.watches.add(this);
		const after = startOf(this.#options, server.cache.revision);
		if (after === undefined) void this.#readState(revision);
		else {
			this.#sentRevision = after;
			this.#source = { type: 'window' };
		}
	}

	/** Makes the next notice a bookmark once the client has read everything, if it asked for bookmarks. */
	bookmark(): void {
		if (!this.#options.allowWatchBookmarks) return;
		this.#bookmarkDue = true;
		this.#wakeIfWaiting();
	}

	/** Ends the watch. No callback is called after `ended`. */
	stop(): void {
		if (this.#abortController.signal.aborted) return;
		this.#abortController.abort(OVER);
		this.#events.ended();
		this.#timer?.cancel();
		this.#unsubscribe();
		this.#server.watches.delete(this);
		this.#source = { type: 'ended' };
	}

	/** Reads the next notices. */
	step(): WatchStep {
		const { failure } = this.#server.cache;
		if (failure && this.#source.type !== 'ended') this.#source = { type: 'ended', error: failure };
		if (this.#timedOut && this.#source.type !== 'window') this.#setSource({ type: 'ended' });
		this.#waiting = false;
		const source = this.#source;
		switch (source.type) {
			case 'state':
				return this.#stepState(source);
			case 'log':
				return this.#stepLog(source);
			case 'window':
				return this.#stepWindow();
			case 'pending':
				return this.#wait();
			case 'ended':
				this.stop();
				return { type: 'ended', error: source.error };
		}
	}

	#stepState(source: Extract<Source, { readonly type: 'state' }>): WatchStep {
		const { objects, at } = source;
		const notices: Notice[] = [];
		let bytes = 0;
		const end = Math.min(source.next + STEP_OBJECTS, objects.length);
		while (source.next < end && bytes < STEP_BYTES) {
			const stored = objects[source.next++];
			if (!stored) continue;
			bytes += stored.size;
			if (this.#selected.matches(stored)) notices.push({ type: 'ADDED', stored });
		}
		if (source.next === objects.length) {
			this.#sentRevision = at;
			this.#source = { type: 'window' };
			if (marksInitialEnd(this.#options)) {
				notices.push({ type: 'BOOKMARK', revision: at, initialEventsEnd: true });
			}
		}
		return { type: 'notices', notices };
	}

	#stepLog(source: Extract<Source, { readonly type: 'log' }>): WatchStep {
		const { changes, at } = source;
		const notices = this.#take(() => changes[source.next++]);
		if (source.next >= changes.length) {
			this.#sentRevision = at;
			this.#source = { type: 'window' };
		}
		return { type: 'notices', notices };
	}

	#stepWindow(): WatchStep {
		const { window, changedAt } = this.#resource;
		if (this.#sentRevision < window.start) {
			void this.#readLog(this.#sentRevision);
			return this.#wait();
		}
		if (this.#sentRevision < changedAt) {
			return { type: 'notices', notices: this.#take(() => window.after(this.#sentRevision)) };
		}
		const { revision } = this.#server.cache;
		const isDue = this.#bookmarkDue;
		this.#bookmarkDue = false;
		// A watch from a future revision has nothing to say before that.
		if (!isDue || revision < this.#sentRevision) return this.#wait();
		this.#sentRevision = revision;
		return { type: 'notices', notices: [{ type: 'BOOKMARK', revision, initialEventsEnd: false }] };
	}

	/** Reads as many changes from `next` as a step may process, and advances behind each. */
	#take(next: () => ObjectChange | undefined): readonly Notice[] {
		const notices: Notice[] = [];
		let bytes = 0;
		for (let processed = 0; processed < STEP_OBJECTS && bytes < STEP_BYTES; processed++) {
			const change = next();
			if (!change) break;
			this.#sentRevision = change.revision;
			const notice = noticeOf(change, this.#selected);
			bytes += (change.now ?? change.before)?.size ?? 0;
			if (notice) notices.push(notice);
		}
		return notices;
	}

	async #readState(revision: number): Promise<void> {
		try {
			await untilFresh(this.#server, revision, this.#abortController.signal);
			const { cache } = this.#server;
			const objects = this.#resource.candidates(this.#selected);
			this.#setSource({ type: 'state', objects, next: 0, at: cache.revision });
		} catch (error) {
			this.#setSource({ type: 'ended', error });
		}
	}

	async #readLog(after: number): Promise<void> {
		this.#source = { type: 'pending' };
		try {
			const { changes, revision: at } = await readHistory(this.#server, this.#resource, after);
			this.#setSource({ type: 'log', changes, next: 0, at });
		} catch (error) {
			this.#setSource({ type: 'ended', error });
		}
	}

	#setSource(source: Source): void {
		if (this.#abortController.signal.aborted || this.#source.type === 'ended') return;
		this.#source = source;
		this.#wakeIfWaiting();
	}

	#onTimeout(): void {
		this.#timedOut = true;
		this.#wakeIfWaiting();
	}

	#wait(): WatchStep {
		if (this.#timedOut) {
			this.stop();
			return { type: 'ended' };
		}
		this.#waiting = true;
		return { type: 'waiting' };
	}

	#wakeIfWaiting(): void {
		if (!this.#waiting) return;
		this.#waiting = false;
		this.#events.wake();
	}
}
