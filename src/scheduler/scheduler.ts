/**
 * The scheduler: binds each unbound Pod to a node (upstream: pkg/scheduler/schedule_one.go). plan/placement
 * decides on the node; this folder orders the Pods, tracks the cluster, and writes.
 *
 * Read this file (one attempt), then scheduling-queue.ts (which Pod is next), cluster-state.ts and
 * nominations.ts (what the decisions are based on), turns.ts (event loop), pod-writer.ts and volume-bindings.ts
 * (writes).
 *
 * 1. A Pod is bound at most once: the API server rejects a second binding.
 * 2. A decision counts at once, before its write, so that no room on a node is given away twice. A decision
 *    that the API server rejects is undone. One whose response is lost counts until the next attempt for the
 *    Pod.
 * 3. An unschedulable Pod gets a PodScheduled condition with the reason. The queue retries it after a change of
 *    the cluster that may help it.
 * 4. No victim is deleted before the preempting Pod's status has the nominated node.
 */

import type { Pod } from '../api/core/pod/schema.ts';
import { ApiError } from '../api/errors/api-error.ts';
import { formatTime } from '../api/meta/time.ts';
import { aborted } from '../base/aborted.ts';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { ConcurrencyLimit } from '../base/queue/concurrency-limit.ts';
import type { Client } from '../client/client.ts';
import { runSynced } from '../client/controller.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { keyOfObject, splitKey } from '../client/informer.ts';
import { priorityOf } from '../plan/placement/cluster/occupancy.ts';
import { type Placement, placePod } from '../plan/placement/place-pod.ts';
import { unscheduledStatus } from '../plan/placement/pod-scheduled.ts';
import { podVolumes, volumesOnNode } from '../plan/placement/pod-volumes.ts';
import type { Preemption } from '../plan/placement/preemption.ts';
import { shapeOf } from '../plan/placement/shape.ts';
import { ClusterState, needsNode, SCHEDULER_NAME, type SchedulerInformers } from './cluster-state.ts';
import { PodWriter } from './pod-writer.ts';
import { type AttemptResult, SchedulerMetrics } from './scheduler-metrics.ts';
import { type AttemptEnd, SchedulingQueue, type Ticket } from './scheduling-queue.ts';
import { Turns } from './turns.ts';
import { VolumeBindings } from './volume-bindings.ts';

/** The dependencies of the scheduler. */
export interface SchedulerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly informers: SchedulerInformers;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** Called with each error that an attempt for the Pod `key` ended with. The queue retries the Pod. */
	readonly onError: (key: string, error: unknown) => void;
}

/** Maximum number of attempts that wait for the API server at the same time. */
const MOST_ATTEMPTS = 64;

/**
 * Interval at which the Event about an unschedulable Pod is repeated: well below the TTL of Events, which is
 * one hour.
 */
const ANNOUNCE_AGAIN_MS = 5 * 60_000;

/** Maximum number of victims of one preemption that are written at the same time. */
const VICTIMS_AT_ONCE = 16;

/**
 * How the metrics count the end of an attempt. A Pod that needs no node any more when the attempt ends is an error, as
 * upstream: its handleSchedulingFailure counts a binding that the API server refuses.
 */
const RESULTS: Readonly<Record<AttemptEnd['kind'], AttemptResult>> = {
	bound: 'scheduled',
	obsolete: 'error',
	refused: 'unschedulable',
	failed: 'error',
};

/** Binds each unbound Pod to a node; see the header of this file. */
export class Scheduler {
	readonly #options: SchedulerOptions;
	readonly #queue: SchedulingQueue;
	readonly #state: ClusterState;
	readonly #writer: PodWriter;
	readonly #bindings: VolumeBindings;
	readonly #metrics: SchedulerMetrics;
	readonly #running = new Set<Promise<void>>();
	/** Number of running attempts that wait for a volume, which can take minutes. */
	#waiting = 0;
	/** The last Event about each unschedulable Pod, and when it was recorded in ms of the monotonic clock. */
	readonly #announced = new WeakMap<Ticket, { readonly message: string; readonly at: number }>();
	readonly #turns: Turns;
	#isStopped = true;
	/** Aborts with the first error that the report of an attempt's error has thrown. */
	readonly #failed = new AbortController();

	constructor(options: SchedulerOptions) {
		this.#options = options;
		const { clock, client, informers, metrics } = options;
		this.#writer = new PodWriter(client, clock);
		this.#bindings = new VolumeBindings(client, { clock, claims: informers.claims });
		this.#turns = new Turns({ clock, work: () => this.#startAttempts() });
		// Deferred, so that changes that arrive together are all queued before the Pod of the highest priority is
		// taken.
		this.#queue = new SchedulingQueue({ clock, onReady: () => this.#turns.wake() });
		this.#state = new ClusterState(informers, {
			needsNone: (key) => {
				this.#queue.drop(key);
				this.#bindings.changed();
			},
			changed: (change) => {
				this.#queue.changed(change);
				if (change === 'storage' || change === 'pod-gone') this.#bindings.changed();
			},
		});
		this.#metrics = new SchedulerMetrics(metrics, {
			profile: SCHEDULER_NAME,
			pending: () => ({ ...this.#queue.sizes, gated: this.#state.gated }),
		});
	}

	/**
	 * Runs until `signal` aborts or the informers, which the caller runs, are stopped. Resolves when the running
	 * attempts have ended.
	 */
	run(signal: AbortSignal): Promise<void> {
		const queue = {
			add: (key: string) => this.#offer(key),
			addAfter: () => assert(false, 'no change of the cluster queues a Pod for later'),
		};
		const works = [(stop: AbortSignal) => this.#runAttempts(stop)];
		return runSynced({ watches: this.#state.watches, queue, works }, signal);
	}

	/** Queues a Pod that the informer shows. */
	#offer(key: string): void {
		const { namespace, name } = splitKey(key);
		const pod = this.#options.informers.pods.get(namespace, name);
		if (pod) this.#queue.offer(key, priorityOf(pod));
	}

	/** Makes attempts until `signal` aborts or the report of an error throws. */
	async #runAttempts(signal: AbortSignal): Promise<void> {
		this.#isStopped = false;
		this.#turns.wake();
		await aborted(AbortSignal.any([signal, this.#failed.signal]));
		this.#isStopped = true;
		this.#queue.close();
		this.#bindings.stop();
		while (this.#running.size > 0) await Promise.all(this.#running);
		if (this.#failed.signal.aborted) throw this.#failed.signal.reason;
	}

	/**
	 * Starts attempts until the queue is empty, {@link MOST_ATTEMPTS} are running, or this event loop turn has
	 * lasted too long.
	 */
	#startAttempts(): void {
		while (!this.#isStopped && this.#running.size - this.#waiting < MOST_ATTEMPTS) {
			if (this.#turns.isOver) {
				this.#turns.wake();
				return;
			}
			const ticket = this.#queue.take();
			if (!ticket) return;
			const attempt = this.#try(ticket)
				.catch((error: unknown) => this.#failed.abort(error))
				.finally(() => {
					this.#running.delete(attempt);
					this.#turns.wake();
				});
			this.#running.add(attempt);
		}
	}

	/** Runs one attempt; rejects only if the report of its error throws. */
	async #try(ticket: Ticket): Promise<void> {
		const { clock, informers, onError } = this.#options;
		const { namespace, name } = splitKey(ticket.key);
		const pod = informers.pods.get(namespace, name);
		if (!pod || !needsNode(pod)) {
			this.#queue.settle(ticket, { kind: 'obsolete' });
			return;
		}
		const startedAt = clock.monotonic();
		let end: AttemptEnd = { kind: 'failed' };
		try {
			end = await this.#place(ticket, pod);
		} catch (error) {
			onError(ticket.key, error);
		}
		this.#queue.settle(ticket, end);
		this.#metrics.attempted(RESULTS[end.kind], clock.monotonic() - startedAt);
	}

	async #place(ticket: Ticket, known: Pod): Promise<AttemptEnd> {
		let pod = known;
		const isInDoubt = this.#state.occupancy.nodeOf(pod.metadata.uid ?? '') !== undefined;
		if (isInDoubt) {
			if (await this.#isAlreadyBound(pod)) return { kind: 'bound' };
			// The Pod may have changed or gone during the read. A decision for the old version would never be undone.
			const current = this.#latestPending(pod);
			if (!current) return { kind: 'obsolete' };
			pod = current;
		}
		const placement = placePod(pod, this.#state.cluster);
		if (placement.kind === 'unschedulable') {
			this.#announce(ticket, pod, placement.message);
			await this.#refuse(pod, placement);
			const { refusedBy } = placement;
			const isNominated = placement.preemption.kind === 'preempt';
			return { kind: 'refused', shape: shapeOf(pod, { refusedBy, isNominated }), refusedBy };
		}
		return this.#bind(pod, placement.nodeName);
	}

	/**
	 * Whether an earlier binding succeeded whose response was lost. The Pod counts on that node until this is
	 * known: the informer may lag behind, and the room must not be given away.
	 */
	async #isAlreadyBound(pod: Pod): Promise<boolean> {
		const found = await this.#writer.read(pod);
		if (found?.spec.nodeName) this.#state.learn(found);
		else this.#state.resync(pod);
		return Boolean(found?.spec.nodeName);
	}

	/** The cached version of the Pod; undefined if it is gone or no longer needs a node. */
	#latestPending({ metadata: { namespace = '', name = '', uid } }: Pod): Pod | undefined {
		const shown = this.#options.informers.pods.get(namespace, name);
		return shown?.metadata.uid === uid && shown && needsNode(shown) ? shown : undefined;
	}

	async #bind(pod: Pod, nodeName: string): Promise<AttemptEnd> {
		const { occupancy, nominations } = this.#state;
		occupancy.put(pod, nodeName);
		nominations.remove(pod.metadata.uid ?? '');
		let isBound = false;
		try {
			if (!(await this.#bindVolumes(pod, nodeName))) {
				this.#state.resync(pod);
				return { kind: this.#latestPending(pod) ? 'failed' : 'obsolete' };
			}
			isBound = await this.#writer.bind(pod, nodeName);
		} catch (error) {
			if (isRefusal(error)) this.#state.resync(pod);
			throw error;
		}
		if (!isBound) {
			this.#state.resync(pod);
			return { kind: 'obsolete' };
		}
		const { namespace, name } = pod.metadata;
		const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
		this.#options.recorder.event(pod, { type: 'Normal', reason: 'Scheduled', message });
		return { kind: 'bound' };
	}

	/** Binds the claims of the Pod that waited for it. The Pod counts on the node meanwhile. */
	async #bindVolumes(pod: Pod, nodeName: string): Promise<boolean> {
		if (!pod.spec.volumes) return true;
		const { nodes, storage } = this.#state.cluster;
		const claims = podVolumes(pod, storage);
		const node = nodes.find(({ metadata }) => metadata.name === nodeName);
		if (claims.kind === 'none') return true;
		if (claims.kind === 'problem' || !node) return false;
		const volumes = volumesOnNode(claims, node, storage);
		if (volumes.reasons.length > 0) return false;
		if (volumes.reservations.length + volumes.provisions.length === 0) return true;
		this.#waiting++;
		this.#turns.wake();
		try {
			const isWanted = (): boolean => this.#latestPending(pod) !== undefined;
			return await this.#bindings.bind({ nodeName, volumes, isWanted });
		} finally {
			this.#waiting--;
		}
	}

	/**
	 * Records an Event with the reason why the Pod is unschedulable: if the reason is new, and again every {@link
	 * ANNOUNCE_AGAIN_MS}, because Events expire. Upstream records one at each attempt; then every Pod that ends
	 * would cause one for the Pods that wait.
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

	/** Removes the nomination of an outranked Pod and queues the Pod, because it may fit on another node. */
	async #endNomination(pod: Pod): Promise<void> {
		this.#state.nominations.remove(pod.metadata.uid ?? '');
		if (!(await this.#writer.patchStatus(pod, { nominatedNodeName: null }))) return;
		this.#queue.offer(keyOfObject(pod), priorityOf(pod));
	}
}

/** Whether the error proves that the API server has not applied the write. After a 5xx response it may have. */
function isRefusal(error: unknown): boolean {
	return error instanceof ApiError && error.code < 500;
}
