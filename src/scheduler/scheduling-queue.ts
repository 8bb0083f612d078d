import { type BackoffPolicy, backoffDelayMs } from '../base/backoff.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { FifoSet } from '../base/fifo-set.ts';
import { mayHelp } from '../plan/placement/place-pod.ts';
import type { ClusterChange } from '../plan/placement/predicates/predicate.ts';
import { ByPriority } from './by-priority.ts';

/** How an attempt to place a Pod ended, for its place in the queue. */
export type AttemptEnd =
	/** It has a node, or needs none any more. */
	| { readonly kind: 'settled' }
	/** No node will do. `shape` is equal for Pods that are refused alike. */
	| { readonly kind: 'refused'; readonly shape: string; readonly refusedBy: ReadonlySet<string> }
	/** The attempt failed for a reason that has nothing to do with the Pod. */
	| { readonly kind: 'failed' };

/** A Pod that is being tried. */
export interface Ticket {
	readonly key: string;
}

/** What a {@link SchedulingQueue} is made of. */
export interface SchedulingQueueOptions {
	readonly clock: Clock;
	/** Called when there may be something to take that was not there before. */
	onReady(): void;
}

/** Upstream: podInitialBackoffSeconds, podMaxBackoffSeconds. */
const BACKOFF: BackoffPolicy = { baseMs: 1000, capMs: 10_000 };

/** Upstream: podMaxInUnschedulablePodsDuration. */
const LONGEST_REST_MS = 5 * 60_000;

interface Entry extends Ticket {
	readonly priority: number;
	/** `active` and `backing off` wait to be tried, `resting` for a change of the cluster. */
	state: 'active' | 'backing off' | 'trying' | 'resting';
	attempts: number;
	triedAt: number;
	/** The number of changes that had been noted when the attempt under way began. */
	changesAtStart: number;
	/** Whether the Pod itself changed during the attempt. */
	isOutdated: boolean;
	shape: Shape | undefined;
	timer: Timer | undefined;
}

/** Pods that are refused alike. */
interface Shape {
	readonly text: string;
	readonly entries: FifoSet<Entry>;
	refusedBy: ReadonlySet<string>;
	triedAt: number;
	/** The one of them that is, or will be, tried on behalf of all. */
	probe: Entry | undefined;
}

/**
 * The Pods that need a node, in the order in which they are to be tried (upstream: scheduling_queue.go).
 *
 * 1. Of the Pods to be tried the one of the highest priority comes first, then the one that came first.
 * 2. A Pod that found no node rests until a change of the cluster that may help those who refused it, or
 *    for five minutes. A change during the attempt counts.
 * 3. Of Pods that are refused alike only one is tried after a change; the next one follows once that one
 *    has found a node.
 * 4. A Pod that was tried before waits from 1 s to 10 s for its next turn, but gets it at once where no
 *    other Pod can be tried. After an error it always waits.
 */
export class SchedulingQueue {
	readonly #options: SchedulingQueueOptions;
	readonly #entries = new Map<string, Entry>();
	readonly #active = new ByPriority<Entry>();
	/** Those of the Pods that back off that are taken early where there is nothing else to do. */
	readonly #backingOff = new ByPriority<Entry>();
	readonly #shapes = new Map<string, Shape>();
	/** The shapes whose Pods wait before they are tried again; the one that was tried longest ago comes first. */
	readonly #resting = new FifoSet<Shape>();
	readonly #lastChange = new Map<ClusterChange, number>();
	#changes = 0;
	#wakeUp: Timer | undefined;

	constructor(options: SchedulingQueueOptions) {
		this.#options = options;
	}

	/** How many Pods are in each part of the queue, by upstream's names; counted when it is asked for. */
	get sizes(): { readonly active: number; readonly backoff: number; readonly unschedulable: number } {
		const states = Array.from(this.#entries.values(), ({ state }) => state);
		return {
			active: this.#active.size,
			backoff: states.filter((state) => state === 'backing off').length,
			unschedulable: states.filter((state) => state === 'resting').length,
		};
	}

	/** Has the Pod tried as soon as it is its turn: it is new, or it has changed. */
	offer(key: string, priority: number): void {
		const known = this.#entries.get(key);
		if (known?.state === 'trying') {
			known.isOutdated = true;
			return;
		}
		if (known) this.#takeOut(known);
		const entry: Entry = {
			...{ key, priority, state: 'active', attempts: 0, triedAt: 0, changesAtStart: 0 },
			...{ isOutdated: false, shape: undefined, timer: undefined },
		};
		this.#entries.set(key, entry);
		this.#activate(entry);
	}

	/** Forgets the Pod: it is gone, or needs no node. */
	drop(key: string): void {
		const entry = this.#entries.get(key);
		if (!entry) return;
		this.#entries.delete(key);
		this.#takeOut(entry);
	}

	/** The Pod to try next; {@link settle} must follow. */
	take(): Ticket | undefined {
		const next = this.#active.first() ?? this.#backingOff.first();
		if (!next) return undefined;
		this.#unqueue(next);
		next.state = 'trying';
		next.changesAtStart = this.#changes;
		next.isOutdated = false;
		return next;
	}

	/** Ends the attempt that {@link take} began. */
	settle(ticket: Ticket, end: AttemptEnd): void {
		const entry = this.#entries.get(ticket.key);
		// The Pod may have been dropped meanwhile, and another one of its name may have come.
		if (!entry || entry !== ticket) return;
		entry.attempts += 1;
		entry.triedAt = this.#options.clock.monotonic();
		if (entry.isOutdated || end.kind === 'settled') {
			this.#leaveShape(entry);
			if (entry.isOutdated) this.#activate(entry);
			else this.#entries.delete(entry.key);
		} else if (end.kind === 'failed') {
			this.#leaveShape(entry);
			this.#backOff(entry, false);
		} else this.#rest(entry, end);
	}

	/** Notes a change of the cluster and has those Pods tried that it may help. */
	changed(change: ClusterChange): void {
		this.#changes += 1;
		this.#lastChange.set(change, this.#changes);
		for (const shape of this.#shapes.values()) if (mayHelp(change, shape.refusedBy)) this.#probe(shape);
	}

	/** Cancels all timers. */
	close(): void {
		this.#wakeUp?.cancel();
		for (const { timer } of this.#entries.values()) timer?.cancel();
	}

	#rest(entry: Entry, { shape: text, refusedBy }: Extract<AttemptEnd, { kind: 'refused' }>): void {
		if (entry.shape?.text !== text) this.#leaveShape(entry);
		const shape: Shape = this.#shapes.get(text) ?? {
			...{ text, entries: new FifoSet(), refusedBy, triedAt: 0, probe: undefined },
		};
		this.#shapes.set(text, shape);
		entry.shape = shape;
		entry.state = 'resting';
		shape.entries.add(entry);
		shape.refusedBy = refusedBy;
		shape.triedAt = entry.triedAt;
		if (shape.probe === entry) shape.probe = undefined;
		this.#resting.delete(shape);
		if (!shape.probe) this.#resting.add(shape);
		const missed = [...this.#lastChange].some(
			([change, at]) => at > entry.changesAtStart && mayHelp(change, refusedBy),
		);
		if (missed) this.#probe(shape);
		else this.#armWakeUp();
	}

	/** Has one Pod of the shape tried, unless one is already. */
	#probe(shape: Shape): void {
		if (shape.probe) return;
		const entry = shape.entries.first;
		if (!entry) return;
		shape.probe = entry;
		this.#resting.delete(shape);
		this.#backOff(entry, true);
	}

	#leaveShape(entry: Entry): void {
		const { shape } = entry;
		if (!shape) return;
		entry.shape = undefined;
		shape.entries.delete(entry);
		if (shape.entries.size === 0) {
			this.#shapes.delete(shape.text);
			this.#resting.delete(shape);
		}
		if (shape.probe !== entry) return;
		shape.probe = undefined;
		this.#probe(shape);
	}

	#activate(entry: Entry): void {
		entry.state = 'active';
		this.#active.add(entry);
		this.#options.onReady();
	}

	#backOff(entry: Entry, mayBeEarly: boolean): void {
		const { clock, onReady } = this.#options;
		const leftMs = entry.triedAt + backoffDelayMs(BACKOFF, entry.attempts) - clock.monotonic();
		if (leftMs <= 0) {
			this.#activate(entry);
			return;
		}
		entry.state = 'backing off';
		entry.timer = clock.setTimer(leftMs, () => {
			this.#unqueue(entry);
			this.#activate(entry);
		});
		if (!mayBeEarly) return;
		this.#backingOff.add(entry);
		onReady();
	}

	#takeOut(entry: Entry): void {
		this.#unqueue(entry);
		this.#leaveShape(entry);
	}

	#unqueue(entry: Entry): void {
		entry.timer?.cancel();
		entry.timer = undefined;
		this.#backingOff.delete(entry);
		this.#active.delete(entry);
	}

	/**
	 * Sets one timer for all shapes, for when the first of them has rested long enough. It is called for each Pod
	 * that is refused, so it must not look at every shape.
	 */
	#armWakeUp(): void {
		const { first } = this.#resting;
		if (this.#wakeUp || !first) return;
		const { clock } = this.#options;
		this.#wakeUp = clock.setTimer(first.triedAt + LONGEST_REST_MS - clock.monotonic(), () => {
			this.#wakeUp = undefined;
			this.#probeRested(clock.monotonic() - LONGEST_REST_MS);
			this.#armWakeUp();
		});
	}

	/** Has one Pod of each shape tried that has not been tried since. */
	#probeRested(since: number): void {
		for (const shape of this.#resting) {
			if (shape.triedAt > since) return;
			this.#probe(shape);
		}
	}
}
