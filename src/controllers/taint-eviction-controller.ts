import type { Node, Taint } from '../api/core/node/schema.ts';
import { pods as podResource } from '../api/core/pod/definition.ts';
import type { Pod, PodStatus } from '../api/core/pod/schema.ts';
import { semanticEqual } from '../api/meta/equality.ts';
import type { Clock } from '../base/clock.ts';
import type { CounterSeries, HistogramSeries, Metrics } from '../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../base/reconcile-loop.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { isGone } from '../client/gone.ts';
import { type Informer, keyOf, splitKey } from '../client/informer.ts';
import { allSynced } from '../client/informers.ts';
import { planTaintEviction } from '../plan/taint-eviction/plan-taint-eviction.ts';

/** What the taint eviction controller is made of. */
export interface TaintEvictionControllerOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly nodes: Informer<Node>;
	readonly pods: Informer<Pod>;
	readonly onError: (key: string, error: unknown) => void;
}

/** Deletes the Pods that do not tolerate the NoExecute taints of their node; the rules are in plan/taint-eviction. */
export class TaintEvictionController {
	readonly #options: TaintEvictionControllerOptions;
	readonly #loop: ReconcileLoop;
	/** The Pods whose time runs, by UID. */
	readonly #leaving = new Set<string>();
	/** When taints were noticed, by node and then by taint. */
	readonly #noticed = new Map<string, Map<string, number>>();
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
			reconcile: (key) => this.#look(key),
			onError: options.onError,
		});
	}

	/** Works until `signal` aborts, or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		const { nodes, pods } = this.#options;
		if (!(await allSynced([nodes, pods]))) return;
		nodes.subscribe((node, old) => this.#seeNode(node, old));
		pods.subscribe((pod, old) => this.#seePod(pod, old));
		await this.#loop.run(signal);
	}

	#seeNode(node: Node | undefined, old: Node | undefined): void {
		const { name = '' } = (node ?? old)?.metadata ?? {};
		const taints = noExecuteTaints(node);
		if (taints.length === 0) this.#noticed.delete(name);
		else this.#notice(name, taints);
		if (!node || semanticEqual(taints, noExecuteTaints(old))) return;
		void this.#lookAtPodsOn(name);
	}

	async #lookAtPodsOn(nodeName: string): Promise<void> {
		const { pods, onError } = this.#options;
		try {
			for (const pod of await pods.select(({ spec }) => spec.nodeName === nodeName)) {
				this.#loop.add(keyOfPod(pod));
			}
		} catch (error) {
			onError(nodeName, error);
		}
	}

	#notice(nodeName: string, taints: readonly Taint[]): void {
		const before = this.#noticed.get(nodeName);
		const now = this.#options.clock.now();
		const times = taints.map((taint) => [idOf(taint), before?.get(idOf(taint)) ?? now] as const);
		this.#noticed.set(nodeName, new Map(times));
	}

	#seePod(pod: Pod | undefined, old: Pod | undefined): void {
		const { nodeName, tolerations } = pod?.spec ?? {};
		if (old && old.metadata.uid !== pod?.metadata.uid && this.#leaving.delete(old.metadata.uid ?? '')) {
			this.#tell(old, 'Cancelling deletion of Pod');
		}
		if (!pod || !nodeName || !this.#noticed.has(nodeName)) return;
		const isSame = nodeName === old?.spec.nodeName && semanticEqual(tolerations, old.spec.tolerations);
		if (!isSame) this.#loop.add(keyOfPod(pod));
	}

	async #look(key: string): Promise<Outcome> {
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
			noticedAt: (taint) => this.#noticed.get(nodeName)?.get(idOf(taint)) ?? now,
			now,
		});
		if (plan.kind === 'wait') {
			this.#leaving.add(uid);
			return again(plan.until - now);
		}
		if (plan.kind === 'keep') {
			if (this.#leaving.delete(uid)) this.#tell(pod, 'Cancelling deletion of Pod');
			return DONE;
		}
		this.#leaving.delete(uid);
		this.#tell(pod, 'Marking for deletion Pod');
		await this.#evict(pod, plan.status);
		this.#deletions.inc();
		this.#deletionSeconds.observe((clock.now() - plan.due) / 1000);
		return DONE;
	}

	async #evict({ metadata }: Pod, { conditions = [] }: PodStatus): Promise<void> {
		const { name = '', namespace, uid } = metadata;
		const target = this.#options.client.resource(podResource, namespace);
		const condition = conditions.filter(({ type }) => type === 'DisruptionTarget');
		try {
			await target.patch(
				name,
				'strategic',
				{ metadata: { uid }, status: { conditions: condition } },
				'status',
			);
			await target.delete(name, uid === undefined ? {} : { preconditions: { uid } });
		} catch (error) {
			if (!isGone(error)) throw error;
		}
	}

	#tell(pod: Pod, what: string): void {
		const { namespace, name } = pod.metadata;
		const message = `${what} ${namespace}/${name}`;
		this.#options.recorder.event(pod, { type: 'Normal', reason: 'TaintManagerEviction', message });
	}
}

const NONE: readonly Taint[] = [];

function noExecuteTaints(node: Node | undefined): readonly Taint[] {
	return node?.spec.taints?.filter(({ effect }) => effect === 'NoExecute') ?? NONE;
}

function idOf({ key, value = '' }: Taint): string {
	return `${key}=${value}`;
}

function keyOfPod({ metadata }: Pod): string {
	return keyOf(metadata.namespace ?? '', metadata.name ?? '');
}

/** Upstream's names and buckets. */
const DELETIONS = {
	name: 'taint_eviction_controller_pod_deletions_total',
	help: 'Pods that were deleted because of a taint of their node.',
};
const DELETION_SECONDS = {
	name: 'taint_eviction_controller_pod_deletion_duration_seconds',
	help: 'How long after a taint drove a Pod away the Pod was deleted.',
	buckets: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
};
