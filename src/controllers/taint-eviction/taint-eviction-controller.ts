import type { Node, Taint } from '../../api/core/node/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import type { Clock } from '../../base/clock.ts';
import type { CounterSeries, HistogramSeries, Metrics } from '../../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOf, splitKey } from '../../client/informer.ts';
import { allSynced } from '../../client/informers.ts';
import { isOvertaken, uidPrecondition } from '../../client/outcomes.ts';
import { planTaintEviction } from '../../plan/taint-eviction/plan-taint-eviction.ts';

/** The dependencies of the taint eviction controller. */
export interface TaintEvictionControllerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly nodes: Informer<Node>;
	readonly pods: Informer<Pod>;
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * The taint eviction controller: deletes the Pods that do not tolerate a NoExecute taint of their node, after
 * their tolerationSeconds. plan/taint-eviction decides; this class maps changes of Nodes and Pods to keys of
 * Pods, and writes. Upstream: pkg/controller/tainteviction/taint_eviction.go.
 *
 * 1. The tolerated time is computed from timestamps of the Pod and the taint, so that a restart does not extend
 *    it. Only for a taint without timeAdded does it count from the moment this process first saw the taint.
 * 2. The condition DisruptionTarget is written before the deletion, so that a pod failure policy can match it.
 */
export class TaintEvictionController {
	readonly #options: TaintEvictionControllerOptions;
	readonly #loop: ReconcileLoop;
	/** The UIDs of the Pods that will be deleted when their tolerationSeconds end. */
	readonly #leaving = new Set<string>();
	/** When this process first saw each taint, in ms since the epoch, by node name and then by taint. */
	readonly #firstSeen = new Map<string, Map<string, number>>();
	readonly #deletions: CounterSeries;
	readonly #deletionSeconds: HistogramSeries;

	constructor(options: TaintEvictionControllerOptions) {
		this.#options = options;
		this.#deletions = options.metrics.counter(DELETIONS).with();
		this.#deletionSeconds = options.metrics.histogram(DELETION_SECONDS).with();
		this.#loop = new ReconcileLoop({
			name: 'noexec_taint_pod',
			clock: options.clock,
			metrics: options.metrics,
			workers: 8,
			backoff: { baseMs: 10, capMs: 10_000 },
			reconcile: (key) => this.#reconcile(key),
			onError: options.onError,
		});
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		const { nodes, pods } = this.#options;
		if (!(await allSynced([nodes, pods]))) return;
		nodes.subscribe((node, old) => this.#nodeChanged(node, old));
		pods.subscribe((pod, old) => this.#podChanged(pod, old));
		await this.#loop.run(signal);
	}

	/** Queues the Pods of a node whose NoExecute taints have changed. */
	#nodeChanged(node: Node | undefined, old: Node | undefined): void {
		const { name = '' } = (node ?? old)?.metadata ?? {};
		const taints = noExecuteTaints(node);
		if (taints.length === 0) this.#firstSeen.delete(name);
		else this.#rememberTaints(name, taints);
		if (!node || semanticEqual(taints, noExecuteTaints(old))) return;
		void this.#queuePodsOn(name);
	}

	/** Scans all Pods: taints change rarely, and an index of Pods by node would cost work for every Pod. */
	async #queuePodsOn(nodeName: string): Promise<void> {
		const { pods, onError } = this.#options;
		try {
			for (const pod of await pods.select(({ spec }) => spec.nodeName === nodeName)) {
				this.#loop.add(keyOfPod(pod));
			}
		} catch (error) {
			onError(nodeName, error);
		}
	}

	/** Remembers when each taint was first seen; taints that were seen before keep their time. */
	#rememberTaints(nodeName: string, taints: readonly Taint[]): void {
		const before = this.#firstSeen.get(nodeName);
		const now = this.#options.clock.now();
		const times = taints.map((taint) => [idOf(taint), before?.get(idOf(taint)) ?? now] as const);
		this.#firstSeen.set(nodeName, new Map(times));
	}

	/** Queues a Pod that is new on a tainted node or has other tolerations. */
	#podChanged(pod: Pod | undefined, old: Pod | undefined): void {
		const { nodeName, tolerations } = pod?.spec ?? {};
		if (old && old.metadata.uid !== pod?.metadata.uid && this.#leaving.delete(old.metadata.uid ?? '')) {
			this.#recordEvent(old, 'Cancelling deletion of Pod');
		}
		if (!pod || !nodeName || !this.#firstSeen.has(nodeName)) return;
		const isSame = nodeName === old?.spec.nodeName && semanticEqual(tolerations, old.spec.tolerations);
		if (!isSame) this.#loop.add(keyOfPod(pod));
	}

	async #reconcile(key: string): Promise<Outcome> {
		const { clock, pods, nodes } = this.#options;
		const { namespace, name } = splitKey(key);
		const pod = pods.get(namespace, name);
		if (!pod) return DONE;
		const { nodeName = '' } = pod.spec;
		const uid = pod.metadata.uid ?? '';
		const now = clock.now();
		const plan = planTaintEviction({
			pod,
			taints: noExecuteTaints(nodes.get('', nodeName)),
			noticedAt: (taint) => this.#firstSeen.get(nodeName)?.get(idOf(taint)) ?? now,
			now,
		});
		if (plan.kind === 'wait') {
			this.#leaving.add(uid);
			return again(plan.until - now);
		}
		if (plan.kind === 'keep') {
			if (this.#leaving.delete(uid)) this.#recordEvent(pod, 'Cancelling deletion of Pod');
			return DONE;
		}
		this.#leaving.delete(uid);
		this.#recordEvent(pod, 'Marking for deletion Pod');
		await this.#evict(pod, plan.status);
		this.#deletions.inc();
		this.#deletionSeconds.observe((clock.now() - plan.due) / 1000);
		return DONE;
	}

	/** Writes the condition, then deletes the Pod. A Pod that is gone or was replaced needs neither. */
	async #evict(pod: Pod, { conditions = [] }: PodStatus): Promise<void> {
		const { name = '', namespace, uid } = pod.metadata;
		const target = this.#options.client.resource(podResource, namespace);
		const condition = conditions.filter(({ type }) => type === 'DisruptionTarget');
		try {
			await target.patchStatus(name, 'strategic', { metadata: { uid }, status: { conditions: condition } });
			await target.delete(name, uidPrecondition(pod));
		} catch (error) {
			if (!isOvertaken(error)) throw error;
		}
	}

	/** Records upstream's Event; its message is the same for all Pods except for the name. */
	#recordEvent(pod: Pod, what: string): void {
		const { namespace, name } = pod.metadata;
		const message = `${what} ${namespace}/${name}`;
		this.#options.recorder.event(pod, { type: 'Normal', reason: 'TaintManagerEviction', message });
	}
}

const NONE: readonly Taint[] = [];

function noExecuteTaints(node: Node | undefined): readonly Taint[] {
	return node?.spec.taints?.filter(({ effect }) => effect === 'NoExecute') ?? NONE;
}

/** The identity of a NoExecute taint on its node. */
function idOf({ key, value = '' }: Taint): string {
	return `${key}=${value}`;
}

function keyOfPod({ metadata }: Pod): string {
	return keyOf(metadata.namespace ?? '', metadata.name ?? '');
}

/** The metrics with upstream's names and buckets. */
const DELETIONS = {
	name: 'taint_eviction_controller_pod_deletions_total',
	help: 'Number of Pods that the controller has deleted because they do not tolerate a NoExecute taint of their node.',
};
const DELETION_SECONDS = {
	name: 'taint_eviction_controller_pod_deletion_duration_seconds',
	help: 'Time between the moment at which a Pod was due for eviction by a taint and its deletion, in seconds.',
	buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
};
