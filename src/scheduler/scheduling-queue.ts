import type { Clock, Timer } from '../base/clock.ts';
import { FifoSet } from '../base/collections/fifo-set.ts';
import { type BackoffPolicy, backoffDelayMs } from '../base/queue/backoff.ts';
import { mayHelp } from '../plan/placement/place-pod.ts';
import type { ClusterChange } from '../plan/placement/predicates/predicate.ts';
import { ByPriority } from './by-priority.ts';

/** The result of an attempt, which decides where the queue puts the Pod. */
export type AttemptEnd =
	| { readonly kind: 'bound' }
	/** The Pod no longer needs a node from this attempt: it is gone, or bound or deleted by another client. */
	| { readonly kind: 'obsolete' }
	/**
	 * The Pod is unschedulable. `shape` is equal for Pods that are unschedulable for the same reasons (see
	 * shapeOf).
	 */
	| { readonly kind: 'refused'; readonly shape: string; readonly refusedBy: ReadonlySet<string> }
	/** The attempt failed with an error. */
	| { readonly kind: 'failed' };

/** A Pod for which an attempt is running. */
export interface Ticket {
	readonly key: string;
}

/** The dependencies of a {@link SchedulingQueue}. */
export interface SchedulingQueueOptions {
	readonly clock: Clock;
	/** Called when {@link SchedulingQueue.take} may return a Pod again. */
	onReady(): void;
}

/** Upstream: podInitialBackoffSeconds, podMaxBackoffSeconds. */
const BACKOFF: BackoffPolicy = { baseMs: 1000, capMs: 10_000 };

/**
 * Time after which an unschedulable Pod is retried even without a change. Upstream:
 * podMaxInUnschedulablePodsDuration.
 */
const MAX_UNSCHEDULABLE_MS = 5 * 60_000;

interface Entry extends Ticket {
	readonly priority: number;
	/**
	 * `active` Pods wait for an attempt, `backing off` ones for a timer, `unschedulable` ones for a change of the
	 * cluster.
	 */
	state: 'active' | 'backing off' | 'attempting' | 'unschedulable';
	attempts: number;
	/** When the last attempt ended, in ms of the monotonic clock. */
	triedAt: number;
	/** The number of changes before the running attempt started. */
	changesAtStart: number;
	/** Whether the Pod changed during the attempt. */
	isOutdated: boolean;
	shape: Shape | undefined;
	timer: Timer | undefined;
}

/** Pods that are unschedulable for the same reasons. */
interface Shape {
	readonly text: string;
	readonly entries: FifoSet<Entry>;
	refusedBy: ReadonlySet<string>;
	triedAt: number;
	/** The Pod that is, or will be, tried on behalf of all of them. */
	probe: Entry | undefined;
}

/**
 * The queue of Pods that need a node (upstream: pkg/scheduler/backend/queue/scheduling_queue.go).
 *
 * 1. The Pod with the highest priority is taken first; among equal ones, the one that was queued first.
 * 2. An unschedulable Pod is retried after a change of the cluster that may help it, judged by the predicates
 *    that refused it, or after five minutes. A change during the attempt is not missed.
 * 3. Of Pods that are unschedulable for the same reasons only one is retried after a change, as a probe. The
 *    next one follows when the probe was bound. Upstream retries all of them.
 * 4. A retry waits for a backoff of 1 s to 10 s, but is taken early if no other Pod is ready. After an error it
 *    always waits.
 */
export class SchedulingQueue {
	readonly #options: SchedulingQueueOptions;
	readonly #entries = new Map<string, Entry>();
	readonly #active = new ByPriority<Entry>();
	/** The Pods in backoff that may be taken early if no Pod is active. */
	readonly #backingOff = new ByPriority<Entry>();
	readonly #shapes = new Map<string, Shape>();
	/** The shapes without a probe, ordered by the time of their last attempt, the oldest first. */
	readonly #waiting = new FifoSet<Shape>();
	readonly #lastChange = new Map<ClusterChange, number>();
	#changes = 0;
	#isClosed = false;
	#wakeUp: Timer | undefined;

	constructor(options: SchedulingQueueOptions) {
		this.#options = options;
	}

	/** The number of Pods in each part of the queue, by upstream's names; counted at each call. */
	get sizes(): { readonly active: number; readonly backoff: number; readonly unschedulable: number } {
		const states = Array.from(this.#entries.values(), ({ state }) => state);
		return {
			active: this.#active.size,
			backoff: states.filter((state) => state === 'backing off').length,
			unschedulable: states.filter((state) => state === 'unschedulable').length,
		};
	}

	/**
	 * Queues a Pod that is new or has changed, without backoff. If an attempt is running, it is repeated
	 * afterwards.
	 */
	offer(key: string, priority: number): void {
		if (this.#isClosed) return;
		const known = this.#entries.get(key);
		if (known?.state === 'attempting') {
			known.isOutdated = true;
			return;
		}
		if (known) this.#takeOut(known);
		const entry: Entry = {
			key,
			priority,
			state: 'active',
			attempts: 0,
			triedAt: 0,
			changesAtStart: 0,
			isOutdated: false,
			shape: undefined,
			timer: undefined,
		};
		this.#entries.set(key, entry);
		this.#activate(entry);
	}

	/** Removes a Pod that is gone or needs no node. */
	drop(key: string): void {
		const entry = this.#entries.get(key);
		if (!entry) return;
		this.#entries.delete(key);
		this.#takeOut(entry);
	}

	/**
	 * Takes the Pod to try next; undefined if none is ready. The caller must call {@link settle} when the attempt
	 * has ended.
	 */
	take(): Ticket | undefined {
		const next = this.#active.first() ?? this.#backingOff.first();
		if (!next) return undefined;
		this.#unqueue(next);
		next.state = 'attempting';
		next.changesAtStart = this.#changes;
		next.isOutdated = false;
		return next;
	}

	/** Records the result of the attempt for a taken Pod. */
	settle(ticket: Ticket, end: AttemptEnd): void {
		if (this.#isClosed) return;
		const entry = this.#entries.get(ticket.key);
		// The Pod may have been dropped meanwhile, and another Pod of the same name queued.
		if (!entry || entry !== ticket) return;
		entry.attempts += 1;
		entry.triedAt = this.#options.clock.monotonic();
		if (entry.isOutdated || end.kind === 'bound' || end.kind === 'obsolete') {
			this.#leaveShape(entry);
			if (entry.isOutdated) this.#activate(entry);
			else this.#entries.delete(entry.key);
		} else if (end.kind === 'failed') {
			this.#leaveShape(entry);
			this.#backOff(entry, false);
		} else this.#putAside(entry, end);
	}

	/** Records a change of the cluster and queues the Pods that it may help. */
	changed(change: ClusterChange): void {
		if (this.#isClosed) return;
		this.#changes += 1;
		this.#lastChange.set(change, this.#changes);
		for (const shape of this.#shapes.values()) if (mayHelp(change, shape.refusedBy)) this.#probe(shape);
	}

	/**
	 * Cancels all timers. Changes and the results of running attempts have no effect from then on: each would set
	 * a timer, which keeps the process running.
	 */
	close(): void {
		this.#isClosed = true;
		this.#wakeUp?.cancel();
		for (const { timer } of this.#entries.values()) timer?.cancel();
	}

	/** Puts an unschedulable Pod aside, unless a change during its attempt may have helped it. */
	#putAside(entry: Entry, { shape: text, refusedBy }: Extract<AttemptEnd, { kind: 'refused' }>): void {
		if (entry.shape?.text !== text) this.#leaveShape(entry);
		const shape: Shape = this.#shapes.get(text) ?? {
			text,
			entries: new FifoSet(),
			refusedBy,
			triedAt: 0,
			probe: undefined,
		};
		this.#shapes.set(text, shape);
		entry.shape = shape;
		entry.state = 'unschedulable';
		shape.entries.add(entry);
		shape.refusedBy = refusedBy;
		shape.triedAt = entry.triedAt;
		if (shape.probe === entry) shape.probe = undefined;
		this.#waiting.delete(shape);
		if (!shape.probe) this.#waiting.add(shape);
		const hasMissedChange = [...this.#lastChange].some(
			([change, at]) => at > entry.changesAtStart && mayHelp(change, refusedBy),
		);
		if (hasMissedChange) this.#probe(shape);
		else this.#setWakeUpTimer();
	}

	/** Queues one Pod of the shape as its probe, unless it has one already. */
	#probe(shape: Shape): void {
		if (shape.probe) return;
		const entry = shape.entries.first;
		if (!entry) return;
		shape.probe = entry;
		this.#waiting.delete(shape);
		this.#backOff(entry, true);
	}

	#leaveShape(entry: Entry): void {
		const { shape } = entry;
		if (!shape) return;
		entry.shape = undefined;
		shape.entries.delete(entry);
		if (shape.entries.size === 0) {
			this.#shapes.delete(shape.text);
			this.#waiting.delete(shape);
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
		const remainingMs = entry.triedAt + backoffDelayMs(BACKOFF, entry.attempts) - clock.monotonic();
		if (remainingMs <= 0) {
			this.#activate(entry);
			return;
		}
		entry.state = 'backing off';
		entry.timer = clock.setTimer(remainingMs, () => {
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
	 * Sets one timer for all shapes, for the one whose last attempt is the oldest. This is called for each
	 * unschedulable Pod, so it must not iterate over all shapes.
	 */
	#setWakeUpTimer(): void {
		const { first } = this.#waiting;
		if (this.#wakeUp || !first) return;
		const { clock } = this.#options;
		this.#wakeUp = clock.setTimer(first.triedAt + MAX_UNSCHEDULABLE_MS - clock.monotonic(), () => {
			this.#wakeUp = undefined;
			this.#probeOverdue(clock.monotonic() - MAX_UNSCHEDULABLE_MS);
			this.#setWakeUpTimer();
		});
	}

	/**
	 * Queues a probe for each shape whose last attempt was at `deadline` or before, in ms of the monotonic clock.
	 */
	#probeOverdue(deadline: number): void {
		for (const shape of this.#waiting) {
			if (shape.triedAt > deadline) return;
			this.#probe(shape);
		}
	}
}
