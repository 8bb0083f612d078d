import type { Timer } from '../base/clock.ts';
import type { ObjectChange } from './change-window.ts';
import type { OpenWatch, ServerContext } from './context.ts';
import { untilFresh } from './freshness.ts';
import { type ListOptions, listOptions } from './list-options.ts';
import { Matcher } from './matcher.ts';
import { type Notice, noticeOf } from './notices.ts';
import type { ResourceRequest } from './request.ts';
import type { ResourceCache } from './resource-cache.ts';
import type { StoredObject } from './stored-object.ts';
import { marksInitialEnd, startOf } from './watch.ts';
import { readHistory } from './watch-history.ts';

/** What a step of a watch came to. */
export type WatchStep =
	/** These come next, in order. None: there was much to look through, and there may be more. */
	| { readonly type: 'notices'; readonly notices: readonly Notice[] }
	/** There is nothing yet. The reader's `wake` is called when there may be. */
	| { readonly type: 'waiting' }
	/** The watch is over: by its time limit, or because of `error`. */
	| { readonly type: 'ended'; readonly error?: unknown };

/** What a reader calls. */
export interface WatchReaderEvents {
	/** A step that found nothing may now find something. */
	readonly wake: () => void;
	/** The watch is over, for whatever reason. */
	readonly over: () => void;
}

/** A step looks at so many changes or objects at most, and at so many bytes: a few milliseconds of work. */
const STEP_OBJECTS = 64;
const STEP_BYTES = 64 * 1024;

/** Made once: an error of its own for each watch that ends costs more than its end. */
const OVER = new Error('the watch is over');

/** Where the next notices come from. */
type Source =
	/** Nothing to read until an asynchronous read ends, which replaces the source. */
	| { readonly type: 'pending' }
	/** The objects at the start; `next` is the index of the one to look at next. */
	| { readonly type: 'state'; readonly objects: readonly StoredObject[]; next: number; readonly at: number }
	/** A piece of the store's log. */
	| { readonly type: 'log'; readonly changes: readonly ObjectChange[]; next: number; readonly at: number }
	/** The resource's change window. */
	| { readonly type: 'window' }
	| { readonly type: 'over'; readonly error?: unknown };

/**
 * The watch of a connection: a position in the history, which its client moves on by taking notices. Nothing
 * is kept for a client that reads slowly, however much happens meanwhile.
 *
 * 1. A watch from nowhere begins with the objects of one revision, as they were then, however long the
 *    client takes to read them.
 * 2. It then reads the resource's change window, which all watches share. Where that does not reach back to
 *    the watch's position, it reads the store's log.
 * 3. It ends with Expired where the log was compacted beyond its position: as upstream, the answer has begun
 *    by then, so the error is told by an event (newErrWatcher in upstream's cacher.go).
 */
export class WatchReader implements OpenWatch {
	readonly #server: ServerContext;
	readonly #resource: ResourceCache;
	readonly #options: ListOptions;
	readonly #selected: Matcher;
	readonly #events: WatchReaderEvents;
	readonly #over = new AbortController();
	readonly #unsubscribe: () => void;
	readonly #timer: Timer | undefined;
	#source: Source = { type: 'pending' };
	/** Everything up to this revision has been handed out. */
	#told = 0;
	#bookmarkDue = false;
	/** The time limit is over: what has happened by now is still told. */
	#timedOut = false;
	/** The last step found nothing, so the client has to be woken. */
	#waiting = false;

	/** Throws what the options of the request have wrong. Nothing is read yet. */
	constructor(server: ServerContext, request: ResourceRequest, events: WatchReaderEvents) {
		const { resource } = request;
		this.#server = server;
		this.#resource = resource;
		this.#options = listOptions(request, 'watch');
		this.#selected = new Matcher(resource.codec, this.#options.selection);
		this.#events = events;
		const { timeoutSeconds, revision = 0 } = this.#options;
		this.#timer = timeoutSeconds
			? server.clock.setTimer(timeoutSeconds * 1000, () => this.#runOut())
			: undefined;
		this.#unsubscribe = resource.onChange(() => this.#wakeIfWaiting());
		server.watches.add(this);
		const after = startOf(this.#options, server.cache.revision);
		if (after === undefined) void this.#readState(revision);
		else {
			this.#told = after;
			this.#source = { type: 'window' };
		}
	}

	/** Makes the next notice of a client that has read everything a bookmark, if it takes bookmarks. */
	bookmark(): void {
		if (!this.#options.allowWatchBookmarks) return;
		this.#bookmarkDue = true;
		this.#wakeIfWaiting();
	}

	/** Ends it; nothing is called after `over`. */
	stop(): void {
		if (this.#over.signal.aborted) return;
		this.#over.abort(OVER);
		this.#events.over();
		this.#timer?.cancel();
		this.#unsubscribe();
		this.#server.watches.delete(this);
		this.#source = { type: 'over' };
	}

	/** Takes what comes next. */
	step(): WatchStep {
		const { failure } = this.#server.cache;
		if (failure && this.#source.type !== 'over') this.#source = { type: 'over', error: failure };
		if (this.#timedOut && this.#source.type !== 'window') this.#become({ type: 'over' });
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
			case 'over':
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
			this.#told = at;
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
			this.#told = at;
			this.#source = { type: 'window' };
		}
		return { type: 'notices', notices };
	}

	#stepWindow(): WatchStep {
		const { window, changedAt } = this.#resource;
		if (this.#told < window.start) {
			void this.#readLog(this.#told);
			return this.#wait();
		}
		if (this.#told < changedAt) {
			return { type: 'notices', notices: this.#take(() => window.after(this.#told)) };
		}
		const { revision } = this.#server.cache;
		if (!this.#bookmarkDue || revision < this.#told) return this.#wait();
		this.#bookmarkDue = false;
		this.#told = revision;
		return { type: 'notices', notices: [{ type: 'BOOKMARK', revision, initialEventsEnd: false }] };
	}

	/** Takes a step's worth of changes from `next`, and moves on behind each. */
	#take(next: () => ObjectChange | undefined): readonly Notice[] {
		const notices: Notice[] = [];
		let bytes = 0;
		for (let looked = 0; looked < STEP_OBJECTS && bytes < STEP_BYTES; looked++) {
			const change = next();
			if (!change) break;
			this.#told = change.revision;
			const notice = noticeOf(change, this.#selected);
			bytes += (change.now ?? change.before)?.size ?? 0;
			if (notice) notices.push(notice);
		}
		return notices;
	}

	async #readState(revision: number): Promise<void> {
		try {
			await untilFresh(this.#server, revision, this.#over.signal);
			const { cache } = this.#server;
			const objects = this.#resource.candidates(this.#selected);
			this.#become({ type: 'state', objects, next: 0, at: cache.revision });
		} catch (error) {
			this.#become({ type: 'over', error });
		}
	}

	async #readLog(after: number): Promise<void> {
		this.#source = { type: 'pending' };
		try {
			const { changes, revision: at } = await readHistory(this.#server, this.#resource, after);
			this.#become({ type: 'log', changes, next: 0, at });
		} catch (error) {
			this.#become({ type: 'over', error });
		}
	}

	#become(source: Source): void {
		if (this.#over.signal.aborted || this.#source.type === 'over') return;
		this.#source = source;
		this.#wakeIfWaiting();
	}

	#runOut(): void {
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
