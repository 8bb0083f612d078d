import type { Pod } from '../api/core/pod/schema.ts';
import { ApiError } from '../api/meta/api-error.ts';
import { formatTime } from '../api/meta/time.ts';
import { aborted } from '../base/aborted.ts';
import type { Clock } from '../base/clock.ts';
import { ConcurrencyLimit } from '../base/concurrency-limit.ts';
import type { Metrics } from '../base/metrics.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { splitKey } from '../client/informer.ts';
import { allSynced } from '../client/informers.ts';
import { priorityOf } from '../plan/placement/occupancy.ts';
import { type Placement, placePod } from '../plan/placement/place-pod.ts';
import { unscheduledStatus } from '../plan/placement/pod-scheduled.ts';
import type { Preemption } from '../plan/placement/preemption.ts';
import { shapeOf } from '../plan/placement/shape.ts';
import {
	ClusterState,
	keyOfPod,
	needsNode,
	SCHEDULER_NAME,
	type SchedulerInformers,
} from './cluster-state.ts';
import { PodWriter } from './pod-writer.ts';
import { type AttemptResult, SchedulerMetrics } from './scheduler-metrics.ts';
import { type AttemptEnd, SchedulingQueue, type Ticket } from './scheduling-queue.ts';
import { Turns } from './turns.ts';

/** What the scheduler is made of. */
export interface SchedulerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly informers: SchedulerInformers;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** Told of each error that an attempt to place the Pod `key` ended with; the Pod is tried again. */
	readonly onError: (key: string, error: unknown) => void;
}

/** How many attempts may wait for the API at once. */
const MOST_ATTEMPTS = 64;

const ANNOUNCE_AGAIN_MS = 5 * 60_000;

/** How many victims of one preemption are written to at once. */
const VICTIMS_AT_ONCE = 16;

/**
 * Binds each new Pod to a node. The decision is made in plan/placement; which Pod is next in
 * scheduling-queue.ts; what is known of the cluster is in cluster-state.ts; writes are in pod-writer.ts.
 *
 * 1. A Pod is bound at most once; the API server refuses a second binding.
 * 2. What is decided counts at once, so a node is never promised twice. A decision that the API server
 *    refuses is forgotten; one whose answer is lost counts until the Pod is tried again.
 * 3. A Pod that fits nowhere says so in its PodScheduled condition and rests until something changes that
 *    may help it.
 * 4. No Pod is preempted before the status of the Pod that it makes room for says so.
 */
export class Scheduler {
	readonly #options: SchedulerOptions;
	readonly #queue: SchedulingQueue;
	readonly #state: ClusterState;
	readonly #writer: PodWriter;
	readonly #metrics: SchedulerMetrics;
	readonly #underWay = new Set<Promise<void>>();
	/** What was last announced about the Pods that found no node, and when. */
	readonly #announced = new WeakMap<Ticket, { readonly message: string; readonly at: number }>();
	readonly #turns: Turns;
	#isStopped = true;

	constructor(options: SchedulerOptions) {
		this.#options = options;
		const { clock, client, informers, metrics } = options;
		this.#writer = new PodWriter(client, clock);
		this.#turns = new Turns({ clock, work: () => this.#startAttempts() });
		// Not at once: what changes together is taken in first, so that the most important Pod is tried first.
		this.#queue = new SchedulingQueue({ clock, onReady: () => this.#turns.wake() });
		this.#state = new ClusterState(informers, {
			needsNode: (key, priority) => this.#queue.offer(key, priority),
			needsNone: (key) => this.#queue.drop(key),
			changed: (change) => this.#queue.changed(change),
		});
		this.#metrics = new SchedulerMetrics(metrics, {
			profile: SCHEDULER_NAME,
			pending: () => ({ ...this.#queue.sizes, gated: this.#state.gated }),
		});
	}

	/**
	 * Schedules until `signal` aborts, or the informers (which the caller runs) are stopped, and the attempts
	 * under way have ended.
	 */
	async run(signal: AbortSignal): Promise<void> {
		const { pods, nodes, namespaces } = this.#options.informers;
		if (!(await allSynced([pods, nodes, namespaces]))) return;
		this.#isStopped = false;
		this.#state.follow();
		await aborted(signal);
		this.#isStopped = true;
		this.#queue.close();
		while (this.#underWay.size > 0) await Promise.all(this.#underWay);
	}

	/** Starts attempts until the queue has no Pod to try, enough attempts are under way, or the event loop has been held for long. */
	#startAttempts(): void {
		while (!this.#isStopped && this.#underWay.size < MOST_ATTEMPTS) {
			if (this.#turns.isOver) {
				this.#turns.wake();
				return;
			}
			const ticket = this.#queue.take();
			if (!ticket) return;
			const attempt = this.#try(ticket);
			this.#underWay.add(attempt);
			void attempt.then(() => {
				this.#underWay.delete(attempt);
				this.#turns.wake();
			});
		}
	}

	/** Never rejects. */
	async #try(ticket: Ticket): Promise<void> {
		const { clock, informers, onError } = this.#options;
		const { namespace, name } = splitKey(ticket.key);
		const pod = informers.pods.get(namespace, name);
		if (!pod || !needsNode(pod)) {
			this.#queue.settle(ticket, { kind: 'settled' });
			return;
		}
		const startedAt = clock.monotonic();
		let result: AttemptResult = 'error';
		let end: AttemptEnd = { kind: 'failed' };
		try {
			[result, end] = await this.#place(ticket, pod);
		} catch (error) {
			onError(ticket.key, error);
		}
		this.#queue.settle(ticket, end);
		this.#metrics.attempted(result, clock.monotonic() - startedAt);
	}

	async #place(ticket: Ticket, known: Pod): Promise<readonly [AttemptResult, AttemptEnd]> {
		let pod = known;
		const isInDoubt = this.#state.occupancy.nodeOf(pod.metadata.uid ?? '') !== undefined;
		if (isInDoubt) {
			if (await this.#isBoundAfterAll(pod)) return ['scheduled', { kind: 'settled' }];
			// It may have changed during that, or be gone: what would be decided for it now, nothing would ever undo.
			const current = this.#waiting(pod);
			if (!current) return ['error', { kind: 'settled' }];
			pod = current;
		}
		const placement = placePod(pod, this.#state.cluster);
		if (placement.kind === 'unschedulable') {
			this.#announce(ticket, pod, placement.message);
			await this.#refuse(pod, placement);
			const { refusedBy } = placement;
			const isNominated = placement.preemption.kind === 'preempt';
			return [
				'unschedulable',
				{ kind: 'refused', shape: shapeOf(pod, { refusedBy, isNominated }), refusedBy },
			];
		}
		const bound = await this.#bind(pod, placement.nodeName);
		return [bound ? 'scheduled' : 'error', { kind: 'settled' }];
	}

	/**
	 * Finds out what became of an earlier binding whose answer was lost. Until that is known the Pod counts
	 * on the node: the informer may lag behind, and the room must not be given away.
	 */
	async #isBoundAfterAll(pod: Pod): Promise<boolean> {
		const found = await this.#writer.read(pod);
		if (found?.spec.nodeName) this.#state.learn(found);
		else this.#state.resync(pod);
		return Boolean(found?.spec.nodeName);
	}

	/** The latest version of the Pod; undefined if it is gone or needs no node any more. */
	#waiting({ metadata: { namespace = '', name = '', uid } }: Pod): Pod | undefined {
		const shown = this.#options.informers.pods.get(namespace, name);
		return shown?.metadata.uid === uid && shown && needsNode(shown) ? shown : undefined;
	}

	async #bind(pod: Pod, nodeName: string): Promise<boolean> {
		const { occupancy, nominations } = this.#state;
		occupancy.put(pod, nodeName);
		nominations.remove(pod.metadata.uid ?? '');
		let isBound = false;
		try {
			isBound = await this.#writer.bind(pod, nodeName);
		} catch (error) {
			if (isRefusal(error)) this.#state.resync(pod);
			throw error;
		}
		if (!isBound) {
			this.#state.resync(pod);
			return false;
		}
		const { namespace, name } = pod.metadata;
		const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
		this.#options.recorder.event(pod, { type: 'Normal', reason: 'Scheduled', message });
		return true;
	}

	/**
	 * Records why the Pod is not scheduled: when the reason is new, and again after a while, since Events are
	 * kept for an hour only. Upstream does so at each attempt, which writes an Event for every Pod that ends.
	 */
	#announce(ticket: Ticket, pod: Pod, message: string): void {
		const { clock, recorder } = this.#options;
		const last = this.#announced.get(ticket);
		const at = clock.monotonic();
		if (last?.message === message && at - last.at < ANNOUNCE_AGAIN_MS) return;
		this.#announced.set(ticket, { message, at });
		recorder.event(pod, { type: 'Warning', reason: 'FailedScheduling', message });
	}

	async #refuse(pod: Pod, placement: Extract<Placement, { kind: 'unschedulable' }>): Promise<void> {
		const { clock } = this.#options;
		const { preemption } = placement;
		const { nominations } = this.#state;
		const { uid = '' } = pod.metadata;
		this.#metrics.preempting(preemption.kind === 'preempt' ? preemption.victims.length : 0);
		if (preemption.kind === 'preempt') nominations.put(pod, preemption.nodeName);
		else if (preemption.endsNomination && nominations.remove(uid)) this.#queue.changed('pod-gone');
		const status = unscheduledStatus(pod, placement, formatTime(clock.now()));
		const isThere = status === undefined || (await this.#writer.patchStatus(pod, status));
		if (!isThere && nominations.remove(uid)) this.#queue.changed('pod-gone');
		if (preemption.kind === 'preempt' && isThere) await this.#preempt(pod, preemption);
	}

	async #preempt(pod: Pod, preemption: Extract<Preemption, { kind: 'preempt' }>): Promise<void> {
		const { nodeName, victims, outranked } = preemption;
		for (const other of outranked) await this.#endNomination(other);
		const limit = new ConcurrencyLimit(VICTIMS_AT_ONCE);
		const remaining = victims.filter(({ metadata }) => !metadata.deletionTimestamp);
		const ends = await Promise.allSettled(
			remaining.map((victim) => limit.run(() => this.#evict(victim, { pod, nodeName }))),
		);
		for (const end of ends) if (end.status === 'rejected') throw end.reason;
	}

	async #evict(
		victim: Pod,
		{ pod, nodeName }: { readonly pod: Pod; readonly nodeName: string },
	): Promise<void> {
		if (!(await this.#writer.preempt(victim, pod))) return;
		const message = `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`;
		this.#options.recorder.event(victim, { type: 'Normal', reason: 'Preempted', message });
	}

	/** The Pod may fit elsewhere, so it is tried again. */
	async #endNomination(pod: Pod): Promise<void> {
		this.#state.nominations.remove(pod.metadata.uid ?? '');
		if (!(await this.#writer.patchStatus(pod, { nominatedNodeName: null }))) return;
		this.#queue.offer(keyOfPod(pod), priorityOf(pod));
	}
}

/** Whether the API server has certainly not done what it was asked to; it may have done what it answers 5xx to. */
function isRefusal(error: unknown): boolean {
	return error instanceof ApiError && error.code < 500;
}
