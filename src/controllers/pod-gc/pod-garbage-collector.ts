import { nodes as nodeResource } from '../../api/core/node/definition.ts';
import type { Node } from '../../api/core/node/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { again, DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { Controller, type ControllerContext, type Keys, NO_KEYS, watch } from '../../client/controller.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { uidPrecondition, unlessGone, unlessOvertaken } from '../../client/outcomes.ts';
import {
	DEFAULT_ENDED_PODS_LIMIT,
	type EndedPod,
	endedPodOf,
	endedPodsBeyond,
} from '../../plan/pod-garbage/ended-pods.ts';
import {
	isOutOfService,
	NODE_QUARANTINE_MS,
	planPodGarbage,
} from '../../plan/pod-garbage/plan-pod-garbage.ts';

/** The dependencies of the Pod garbage collector. */
export interface PodGarbageCollectorOptions extends ControllerContext {
	readonly client: Client;
	readonly pods: Informer<Pod>;
	readonly nodes: Informer<Node>;
	/** Number of ended Pods to keep; 0 keeps all. Default DEFAULT_ENDED_PODS_LIMIT. */
	readonly endedPodsLimit?: number;
}

/**
 * The Pod garbage collector: deletes Pods that no node agent and no other controller will delete.
 * plan/pod-garbage decides. Upstream: pkg/controller/podgc/gc_controller.go.
 *
 * Upstream checks every Pod every 20 seconds. Here the events of the informers queue what must be checked, so
 * that an idle cluster costs nothing and a Pod without a node fails at once. There are three kinds of keys:
 *
 * 1. `pod|namespace/name`: a Pod under deletion that has no node, or whose node is out of service.
 * 2. `node|name`: a node that is out of service, whose Pods under deletion are then queued, or one that does not
 *    exist. The latter is looked up again at the end of its quarantine; if it is still missing, its Pods are
 *    deleted.
 * 3. `ended`: the ended Pods, if there are too many. They are counted at each event, but sorted only if the
 *    limit is exceeded, at most every 20 seconds.
 */
export class PodGarbageCollector {
	readonly #options: PodGarbageCollectorOptions;
	readonly #limit: number;
	readonly #controller: Controller;
	/** When each node in quarantine was first found missing, in ms of the monotonic clock. */
	readonly #missingFrom = new Map<string, number>();
	/** By key: a summary of each Pod that has ended. Holding the Pods themselves would keep them decoded. */
	readonly #ended = new Map<string, EndedPod>();
	#surplusDeletedAt = Number.NEGATIVE_INFINITY;

	constructor(options: PodGarbageCollectorOptions) {
		this.#options = options;
		this.#limit = options.endedPodsLimit ?? DEFAULT_ENDED_PODS_LIMIT;
		this.#controller = new Controller(
			{
				name: 'orphaned_pods_nodes',
				watches: [
					watch(options.nodes, (node, old) => this.#nodeChanged(node, old)),
					watch(options.pods, (pod, old) => {
						this.#countEnded(pod, old);
						return this.#keysAfterPod(pod, old);
					}),
				],
				workers: 5,
				backoff: { baseMs: 5, capMs: 20_000 },
				reconcile: (key) => this.#reconcile(key),
			},
			options,
		);
	}

	/** Runs until `signal` aborts or the informers are stopped. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	*#keysAfterPod(pod: Pod | undefined, old: Pod | undefined): IterableIterator<string> {
		if (this.#limit > 0 && this.#ended.size > this.#limit && pod && hasEnded(pod)) yield ENDED;
		if (!pod) return;
		const { nodeName } = pod.spec;
		const node = nodeName ? this.#options.nodes.get('', nodeName) : undefined;
		if (nodeName && !node && nodeName !== old?.spec.nodeName) yield `${NODE}${nodeName}`;
		if (pod.metadata.deletionTimestamp === undefined) return;
		if (!nodeName || (node && isOutOfService(node))) yield podKey(pod);
	}

	#countEnded(pod: Pod | undefined, old: Pod | undefined): void {
		if (this.#limit <= 0) return;
		if (old && hasEnded(old)) this.#ended.delete(podKey(old));
		if (pod && hasEnded(pod)) this.#ended.set(podKey(pod), endedPodOf(pod));
	}

	#nodeChanged(node: Node | undefined, old: Node | undefined): Keys {
		const name = node?.metadata.name ?? old?.metadata.name ?? '';
		if (!node) return [`${NODE}${name}`];
		this.#missingFrom.delete(name);
		return isOutOfService(node) && !(old && isOutOfService(old)) ? [`${NODE}${name}`] : NO_KEYS;
	}

	#reconcile(key: string): Promise<Outcome> {
		if (key === ENDED) return this.#deleteSurplusEnded();
		if (key.startsWith(NODE)) return this.#reconcileNode(key.slice(NODE.length));
		return this.#reconcilePod(key.slice(POD.length));
	}

	async #reconcilePod(key: string): Promise<Outcome> {
		const { namespace, name } = splitKey(key);
		const pod = this.#options.pods.get(namespace, name);
		// If the Pod changed meanwhile, the event of that change queues the key again.
		if (pod) await this.#planAndApply(pod, false);
		return DONE;
	}

	async #reconcileNode(name: string): Promise<Outcome> {
		const { nodes, clock } = this.#options;
		const node = nodes.get('', name);
		if (node && isOutOfService(node)) await this.#queueDeletedPodsOn(name);
		if (node) return DONE;
		const missingFrom = this.#missingFrom.get(name) ?? clock.monotonic();
		this.#missingFrom.set(name, missingFrom);
		const leftMs = missingFrom + NODE_QUARANTINE_MS - clock.monotonic();
		if (leftMs > 0) return again(leftMs);
		const orphans = await this.#podsOn(name);
		if (orphans.length > 0 && !(await this.#exists(name))) {
			const outcomes = await inGroups(orphans, (pod) => this.#planAndApply(pod, true));
			if (outcomes.includes('overtaken')) return again(OVERTAKEN_MS);
		}
		this.#missingFrom.delete(name);
		return DONE;
	}

	async #queueDeletedPodsOn(nodeName: string): Promise<void> {
		for (const pod of await this.#podsOn(nodeName)) {
			if (pod.metadata.deletionTimestamp !== undefined) this.#controller.add(podKey(pod));
		}
	}

	async #deleteSurplusEnded(): Promise<Outcome> {
		const { clock } = this.#options;
		const leftMs = this.#surplusDeletedAt + ENDED_PERIOD_MS - clock.monotonic();
		if (leftMs > 0) return again(leftMs);
		this.#surplusDeletedAt = clock.monotonic();
		await inGroups(endedPodsBeyond(this.#limit, this.#ended.values()), (pod) => this.#remove(pod));
		return DONE;
	}

	/** Plans for the Pod and applies the plan; `overtaken` if the Pod changed, so that nothing was decided. */
	async #planAndApply(pod: Pod, nodeIsGone: boolean): Promise<'settled' | 'overtaken'> {
		const { client, clock, nodes } = this.#options;
		const { name = '', namespace, uid, resourceVersion } = pod.metadata;
		const node = pod.spec.nodeName ? nodes.get('', pod.spec.nodeName) : undefined;
		const plan = planPodGarbage({ pod, node, nodeIsGone, now: clock.now() });
		if (plan.kind === 'keep') return 'settled';
		if (plan.status) {
			// The resourceVersion keeps the patch from overwriting an end that the node agent reported just now.
			const patch = { metadata: { uid, resourceVersion }, status: plan.status };
			const target = client.resource(podResource, namespace);
			const written = await unlessOvertaken(target.patchStatus(name, 'strategic', patch));
			if (written === undefined) return 'overtaken';
		}
		await this.#remove(endedPodOf(pod));
		return 'settled';
	}

	async #remove({ namespace, name, uid }: Pick<EndedPod, 'namespace' | 'name' | 'uid'>): Promise<void> {
		const target = this.#options.client.resource(podResource, namespace);
		const options = { gracePeriodSeconds: 0, ...uidPrecondition({ metadata: { uid } }) };
		await unlessOvertaken(target.delete(name, options));
	}

	/** Whether the Node exists on the API server; the informer may lag behind it. */
	async #exists(nodeName: string): Promise<boolean> {
		return (await unlessGone(this.#options.client.resource(nodeResource).get(nodeName))) !== undefined;
	}

	/**
	 * The Pods of a node, by a scan of all Pods: nodes are deleted rarely, and an index would cost work for every
	 * Pod.
	 */
	#podsOn(nodeName: string): Promise<readonly Pod[]> {
		return this.#options.pods.select(({ spec }) => spec.nodeName === nodeName);
	}
}

const POD = 'pod|';
const NODE = 'node|';
const ENDED = 'ended';

/** Minimum time between two deletions of surplus ended Pods. */
const ENDED_PERIOD_MS = 20_000;

/** Delay before Pods that changed while they were checked are checked again. */
const OVERTAKEN_MS = 1000;

/**
 * Number of Pods processed at the same time: enough that the store can combine their writes into a group
 * commit.
 */
const AT_ONCE = 64;

function podKey(pod: Pod): string {
	return `${POD}${keyOfObject(pod)}`;
}

/** Calls `act` for all Pods, {@link AT_ONCE} at a time. */
async function inGroups<P, R>(pods: readonly P[], act: (pod: P) => Promise<R>): Promise<readonly R[]> {
	const results: R[] = [];
	for (let start = 0; start < pods.length; start += AT_ONCE) {
		results.push(...(await Promise.all(pods.slice(start, start + AT_ONCE).map(act))));
	}
	return results;
}
