import type { Node } from '../api/core/node/schema.ts';
import { pods as podResource } from '../api/core/pod/definition.ts';
import type { Pod, PodCondition } from '../api/core/pod/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import { formatTime } from '../api/meta/time.ts';
import { aborted } from '../base/aborted.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { DONE, type Outcome, ReconcileLoop } from '../base/reconcile-loop.ts';
import { type Client, pathOf } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { type Informer, keyOf, splitKey } from '../client/informer.ts';
import { type NodeView, placePod } from '../plan/placement/place-pod.ts';
import { NodeLoad } from './node-load.ts';
import { type AttemptResult, schedulerMetrics } from './scheduler-metrics.ts';
import { WaitingPods } from './waiting-pods.ts';

/** The schedulerName of the Pods that this scheduler places. */
const SCHEDULER_NAME = 'default-scheduler';

/** What the scheduler is made of. */
export interface SchedulerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly informers: { readonly pods: Informer<Pod>; readonly nodes: Informer<Node> };
	readonly recorder: EventRecorder;
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * Binds each new Pod to a node; the choice itself is made in plan/placement.
 *
 * 1. A Pod is bound at most once; the API server refuses a second binding.
 * 2. What is bound counts against its node at once, so a node is never promised twice.
 * 3. A Pod that fits nowhere says so in its PodScheduled condition and is tried again when a node
 *    changes or a Pod makes room.
 */
export class Scheduler {
	readonly #options: SchedulerOptions;
	readonly #loop: ReconcileLoop;
	readonly #load = new NodeLoad();
	readonly #waiting = new WaitingPods();
	readonly #attempted: (result: AttemptResult, durationMs: number) => void;

	constructor(options: SchedulerOptions) {
		this.#options = options;
		this.#loop = new ReconcileLoop({
			name: 'scheduler',
			clock: options.clock,
			metrics: options.metrics,
			workers: 64,
			backoff: { baseMs: 1000, capMs: 10_000 },
			reconcile: (key) => this.#schedule(key),
			onError: options.onError,
		});
		this.#attempted = schedulerMetrics(options.metrics, {
			profile: SCHEDULER_NAME,
			pending: () => ({ active: this.#loop.queue.depth, unschedulable: this.#waiting.size }),
		});
	}

	/** Schedules until `signal` aborts; the informers are run by whoever made them. */
	async run(signal: AbortSignal): Promise<void> {
		const { pods, nodes } = this.#options.informers;
		await Promise.race([Promise.all([pods.synced, nodes.synced]), aborted(signal)]);
		nodes.subscribe((node, old) => {
			if (roomMayHaveChanged(node, old)) this.#retryWaiting();
		});
		pods.subscribe((pod, old) => this.#observe(pod, old));
		await this.#loop.run(signal);
	}

	#observe(pod: Pod | undefined, old: Pod | undefined): void {
		if (old && (!pod || pod.metadata.uid !== old.metadata.uid)) {
			this.#waiting.remove(keyOfPod(old));
			if (this.#load.forget(old)) this.#retryWaiting();
		}
		if (!pod) return;
		if (pod.spec.nodeName) {
			this.#load.observe(pod);
			const ended = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
			if (ended && old?.status.phase !== pod.status.phase) this.#retryWaiting();
		} else if (needsNode(pod) && (!old || old.spec !== pod.spec)) {
			this.#loop.add(keyOfPod(pod));
		}
	}

	#retryWaiting(): void {
		for (const key of this.#waiting.oneOfEach()) this.#loop.add(key);
	}

	async #schedule(key: string): Promise<Outcome> {
		const { namespace, name } = splitKey(key);
		const pod = this.#options.informers.pods.get(namespace, name);
		if (!pod || !needsNode(pod)) {
			this.#waiting.remove(key);
			return DONE;
		}
		const { clock } = this.#options;
		const started = clock.now();
		let result: AttemptResult = 'error';
		try {
			result = await this.#place(key, pod);
		} finally {
			this.#attempted(result, clock.now() - started);
		}
		return DONE;
	}

	async #place(key: string, pod: Pod): Promise<AttemptResult> {
		const placement = placePod(pod, this.#nodeViews());
		if (placement.kind === 'unschedulable') {
			this.#waiting.add(key, pod);
			await this.#reportUnschedulable(pod, placement.message);
			return 'unschedulable';
		}
		const bound = await this.#bind(pod, placement.nodeName);
		const sibling = this.#waiting.remove(key);
		if (sibling !== undefined) this.#loop.add(sibling);
		return bound ? 'scheduled' : 'error';
	}

	#nodeViews(): readonly NodeView[] {
		const views: NodeView[] = [];
		for (const node of this.#options.informers.nodes.all()) {
			views.push({ node, requested: this.#load.requested(node.metadata.name ?? '') });
		}
		return views;
	}

	/** Resolves to whether it is bound: the Pod may be gone, or somebody else's by now. */
	async #bind(pod: Pod, nodeName: string): Promise<boolean> {
		const { client, recorder } = this.#options;
		const { namespace = '', name = '', uid } = pod.metadata;
		this.#load.assume(pod, nodeName);
		try {
			await client.transport.request({
				method: 'POST',
				path: `${pathOf(podResource, namespace)}/${name}/binding`,
				body: {
					apiVersion: 'v1',
					kind: 'Binding',
					metadata: { name, namespace, ...(uid && { uid }) },
					target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
				},
			});
		} catch (error) {
			this.#load.forget(pod);
			if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) return false;
			throw error;
		}
		const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
		recorder.event(pod, { type: 'Normal', reason: 'Scheduled', message });
		return true;
	}

	async #reportUnschedulable(pod: Pod, message: string): Promise<void> {
		const { client, clock, recorder } = this.#options;
		const current = pod.status.conditions?.find((condition) => condition.type === 'PodScheduled');
		if (current?.status === 'False' && current.message === message) return;
		const condition: PodCondition = {
			type: 'PodScheduled',
			status: 'False',
			reason: 'Unschedulable',
			message,
			lastTransitionTime:
				current?.status === 'False' && current.lastTransitionTime
					? current.lastTransitionTime
					: formatTime(clock.now()),
		};
		recorder.event(pod, { type: 'Warning', reason: 'FailedScheduling', message });
		const { namespace, name = '' } = pod.metadata;
		try {
			const patch = { status: { conditions: [condition] } };
			await client.resource(podResource, namespace).patch(name, 'strategic', patch, 'status');
		} catch (error) {
			if (!isApiError(error, 'NotFound')) throw error;
		}
	}
}

function needsNode(pod: Pod): boolean {
	return (
		!pod.spec.nodeName &&
		!pod.metadata.deletionTimestamp &&
		pod.spec.schedulerName === SCHEDULER_NAME &&
		(pod.spec.schedulingGates ?? []).length === 0
	);
}

/** A heartbeat changes conditions only; it need not wake the Pods that wait. */
function roomMayHaveChanged(node: Node | undefined, old: Node | undefined): boolean {
	if (!node || !old) return node !== undefined;
	return (
		node.spec !== old.spec ||
		node.metadata.labels !== old.metadata.labels ||
		node.status.allocatable !== old.status.allocatable
	);
}

function keyOfPod(pod: Pod): string {
	return keyOf(pod.metadata.namespace ?? '', pod.metadata.name ?? '');
}
