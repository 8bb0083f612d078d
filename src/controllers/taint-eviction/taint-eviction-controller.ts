import type { Node, Taint } from '../../api/core/node/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import type { CounterSeries, HistogramSeries } from '../../base/metrics.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import { runTogether } from '../../base/queue/run-together.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, type Keys, NO_KEYS, watch } from '../../client/controller.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { isOvertaken, uidPrecondition } from '../../client/outcomes.ts';
import { planTaintEviction } from '../../plan/taint-eviction/plan-taint-eviction.ts';

/** The dependencies of the taint eviction controller. */
export interface TaintEvictionControllerOptions extends ControllerContext {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly nodes: Informer<Node>;
	readonly pods: Informer<Pod>;
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
	readonly #pods: Controller;
	/** Its keys are names of nodes. A pass queues the Pods of the node. */
	readonly #nodes: Controller;
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
		const { nodes, pods } = options;
		const backoff = { baseMs: 10, capMs: 10_000 };
		this.#pods = new Controller(
			{
				name: 'noexec_taint_pod',
				watches: [
					watch(nodes, (node, old) => this.#nodeChanged(node, old)),
					watch(pods, (pod, old) => this.#podChanged(pod, old)),
				],
				workers: 8,
				backoff,
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
		this.#nodes = new Controller(
			{
				name: 'noexec_taint_node',
				watches: [
					watch(nodes, (node, old) =>
						node && haveChanged(node, old) ? [node.metadata.name ?? ''] : NO_KEYS,
					),
				],
				workers: 8,
				backoff,
				reconcile: (nodeName) => this.#queuePodsOn(nodeName),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		await runTogether([(stop) => this.#pods.run(stop), (stop) => this.#nodes.run(stop)], signal);
	}

	#nodeChanged(node: Node | undefined, old: Node | undefined): Keys {
		const { name = '' } = (node ?? old)?.metadata ?? {};
		const taints = noExecuteTaints(node);
		if (taints.length === 0) this.#firstSeen.delete(name);
		else this.#rememberTaints(name, taints);
		return NO_KEYS;
	}

	/** Scans all Pods: taints change rarely, and an index of Pods by node would cost work for every Pod. */
	async #queuePodsOn(nodeName: string): Promise<Outcome> {
		const found = await this.#options.pods.select(({ spec }) => spec.nodeName === nodeName);
		for (const pod of found) this.#pods.add(keyOfObject(pod));
		return DONE;
	}

	/** Remembers when each taint was first seen; taints that were seen before keep their time. */
	#rememberTaints(nodeName: string, taints: readonly Taint[]): void {
		const before = this.#firstSeen.get(nodeName);
		const now = this.#options.clock.now();
		const times = taints.map((taint) => [idOf(taint), before?.get(idOf(taint)) ?? now] as const);
		this.#firstSeen.set(nodeName, new Map(times));
	}

	/** The key of a Pod that is new on a tainted node or has other tolerations. */
	#podChanged(pod: Pod | undefined, old: Pod | undefined): Keys {
		const { nodeName, tolerations } = pod?.spec ?? {};
		if (old && old.metadata.uid !== pod?.metadata.uid && this.#leaving.delete(old.metadata.uid ?? '')) {
			this.#recordEvent(old, 'Cancelling deletion of Pod');
		}
		if (!pod || !nodeName || !this.#firstSeen.has(nodeName)) return NO_KEYS;
		const isSame = nodeName === old?.spec.nodeName && semanticEqual(tolerations, old.spec.tolerations);
		return isSame ? NO_KEYS : [keyOfObject(pod)];
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
		if (!(await this.#evict(pod, plan.status))) return DONE;
		this.#deletions.inc();
		this.#deletionSeconds.observe((clock.now() - plan.due) / 1000);
		return DONE;
	}

	/** Writes the condition, then deletes the Pod. Resolves to false if it is gone or was replaced: it needs neither. */
	async #evict(pod: Pod, { conditions = [] }: PodStatus): Promise<boolean> {
		const { name = '', namespace, uid } = pod.metadata;
		const target = this.#options.client.resource(podResource, namespace);
		const condition = conditions.filter(({ type }) => type === 'DisruptionTarget');
		try {
			await target.patchStatus(name, 'strategic', { metadata: { uid }, status: { conditions: condition } });
			await target.delete(name, uidPrecondition(pod));
			return true;
		} catch (error) {
			if (!isOvertaken(error)) throw error;
			return false;
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

/** Whether the NoExecute taints of the node have changed. */
function haveChanged(node: Node, old: Node | undefined): boolean {
	return !semanticEqual(noExecuteTaints(node), noExecuteTaints(old));
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
