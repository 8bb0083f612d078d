import { nodes as nodeResource } from '../api/core/node/definition.ts';
import type { Node } from '../api/core/node/schema.ts';
import { pods as podResource } from '../api/core/pod/definition.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { isApiError } from '../api/meta/api-error.ts';
import type { Clock } from '../base/clock.ts';
import type { Metrics } from '../base/metrics.ts';
import { again, DONE, type Outcome, ReconcileLoop } from '../base/reconcile-loop.ts';
import type { Client } from '../client/client.ts';
import { type Informer, keyOf, splitKey } from '../client/informer.ts';
import { allSynced } from '../client/informers.ts';
import {
	DEFAULT_ENDED_PODS_LIMIT,
	type EndedPod,
	endedPodOf,
	endedPodsBeyond,
	isEnded,
} from '../plan/pod-garbage/ended-pods.ts';
import { isOutOfService, NODE_QUARANTINE_MS, planPodGarbage } from '../plan/pod-garbage/plan-pod-garbage.ts';

/** What the Pod garbage collector is made of. */
export interface PodGarbageCollectorOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly metrics: Metrics;
	readonly pods: Informer<Pod>;
	readonly nodes: Informer<Node>;
	/** How many Pods that have ended are kept; 0: all of them. */
	readonly endedPodsLimit?: number;
	readonly onError: (key: string, error: unknown) => void;
}

/**
 * Removes Pods that nobody else will: the rules are in plan/pod-garbage.
 *
 * Upstream looks at every Pod every 20 seconds. Here each change says itself whether there is something
 * to look at, so that an idle cluster costs nothing and a Pod without a node fails at once. There are
 * three sorts of keys: a Pod that is being deleted where no node agent will see to it; a node that is
 * missing, which is looked for once more when its quarantine is over; and the ended Pods, which are
 * counted as they come and go and sorted only when there are too many, at most every 20 seconds.
 */
export class PodGarbageCollector {
	readonly #options: PodGarbageCollectorOptions;
	readonly #limit: number;
	readonly #loop: ReconcileLoop;
	/** Since when the nodes in quarantine are missing. */
	readonly #missingSince = new Map<string, number>();
	/** By key: what is known of each Pod that has ended. The Pods themselves are not held. */
	readonly #ended = new Map<string, EndedPod>();
	#thinnedAt = Number.NEGATIVE_INFINITY;

	constructor(options: PodGarbageCollectorOptions) {
		this.#options = options;
		this.#limit = options.endedPodsLimit ?? DEFAULT_ENDED_PODS_LIMIT;
		this.#loop = new ReconcileLoop({
			name: 'orphaned_pods_nodes',
			clock: options.clock,
			metrics: options.metrics,
			workers: 5,
			backoff: { baseMs: 5, capMs: 20_000 },
			reconcile: (key) => this.#look(key),
			onError: options.onError,
		});
	}

	/** Collects until `signal` aborts, or the informers are stopped. */
	async run(signal: AbortSignal): Promise<void> {
		const { pods, nodes } = this.#options;
		if (!(await allSynced([nodes, pods]))) return;
		nodes.subscribe((node, old) => this.#seeNode(node, old));
		pods.subscribe((pod, old) => this.#seePod(pod, old));
		await this.#loop.run(signal);
	}

	#seePod(pod: Pod | undefined, old: Pod | undefined): void {
		this.#countEnded(pod, old);
		if (!pod) return;
		const { nodeName } = pod.spec;
		const node = nodeName ? this.#options.nodes.get('', nodeName) : undefined;
		if (nodeName && !node && nodeName !== old?.spec.nodeName) this.#loop.add(`${NODE}${nodeName}`);
		if (pod.metadata.deletionTimestamp === undefined) return;
		if (!nodeName || (node && isOutOfService(node))) this.#loop.add(podKey(pod));
	}

	#countEnded(pod: Pod | undefined, old: Pod | undefined): void {
		if (this.#limit <= 0) return;
		if (old && isEnded(old)) this.#ended.delete(podKey(old));
		if (!pod || !isEnded(pod)) return;
		this.#ended.set(podKey(pod), endedPodOf(pod));
		if (this.#ended.size > this.#limit) this.#loop.add(ENDED);
	}

	#seeNode(node: Node | undefined, old: Node | undefined): void {
		const name = node?.metadata.name ?? old?.metadata.name ?? '';
		if (!node) {
			this.#loop.add(`${NODE}${name}`);
			return;
		}
		this.#missingSince.delete(name);
		if (!isOutOfService(node) || (old && isOutOfService(old))) return;
		void this.#lookAtDeletedOn(name);
	}

	async #lookAtDeletedOn(nodeName: string): Promise<void> {
		try {
			for (const pod of await this.#podsOn(nodeName)) {
				if (pod.metadata.deletionTimestamp !== undefined) this.#loop.add(podKey(pod));
			}
		} catch (error) {
			this.#options.onError(`${NODE}${nodeName}`, error);
		}
	}

	#look(key: string): Promise<Outcome> {
		if (key === ENDED) return this.#lookAtEnded();
		if (key.startsWith(NODE)) return this.#lookForNode(key.slice(NODE.length));
		return this.#lookAtPod(key.slice(POD.length));
	}

	async #lookAtPod(key: string): Promise<Outcome> {
		const { namespace, name } = splitKey(key);
		const pod = this.#options.pods.get(namespace, name);
		// If it changed meanwhile, the change itself brings the key back.
		if (pod) await this.#judge(pod, false);
		return DONE;
	}

	async #lookForNode(name: string): Promise<Outcome> {
		const { nodes, clock } = this.#options;
		if (nodes.get('', name)) return DONE;
		const since = this.#missingSince.get(name) ?? clock.monotonic();
		this.#missingSince.set(name, since);
		const left = since + NODE_QUARANTINE_MS - clock.monotonic();
		if (left > 0) return again(left);
		const orphans = await this.#podsOn(name);
		if (orphans.length > 0 && !(await this.#exists(name))) {
			const judged = await inGroups(orphans, (pod) => this.#judge(pod, true));
			if (judged.includes('overtaken')) return again(OVERTAKEN_MS);
		}
		this.#missingSince.delete(name);
		return DONE;
	}

	async #lookAtEnded(): Promise<Outcome> {
		const { clock } = this.#options;
		const rest = this.#thinnedAt + ENDED_PERIOD_MS - clock.monotonic();
		if (rest > 0) return again(rest);
		this.#thinnedAt = clock.monotonic();
		await inGroups(endedPodsBeyond(this.#limit, this.#ended.values()), (pod) => this.#remove(pod));
		return DONE;
	}

	/** Does with the Pod what the rules say. */
	async #judge(pod: Pod, nodeIsGone: boolean): Promise<'settled' | 'overtaken'> {
		const { client, clock, nodes } = this.#options;
		const { name = '', namespace, uid, resourceVersion } = pod.metadata;
		const node = pod.spec.nodeName ? nodes.get('', pod.spec.nodeName) : undefined;
		const plan = planPodGarbage({ pod, node, nodeIsGone, now: clock.now() });
		if (plan.kind === 'keep') return 'settled';
		if (plan.status) {
			// Bound to what was judged: an end that the node reported at the last moment is not overwritten.
			const patch = { metadata: { uid, resourceVersion }, status: plan.status };
			const target = client.resource(podResource, namespace);
			const written = await unlessOvertaken(target.patch(name, 'strategic', patch, 'status'));
			if (written === undefined) return 'overtaken';
		}
		await this.#remove(endedPodOf(pod));
		return 'settled';
	}

	async #remove({ namespace, name, uid }: Pick<EndedPod, 'namespace' | 'name' | 'uid'>): Promise<void> {
		const target = this.#options.client.resource(podResource, namespace);
		const options = { gracePeriodSeconds: 0, ...(uid && { preconditions: { uid } }) };
		await unlessOvertaken(target.delete(name, options));
	}

	/** Asks the server itself: the local copy may be behind. */
	async #exists(nodeName: string): Promise<boolean> {
		try {
			await this.#options.client.resource(nodeResource).get(nodeName);
			return true;
		} catch (error) {
			if (isApiError(error, 'NotFound')) return false;
			throw error;
		}
	}

	/** Looked up one by one: a node goes seldom, and an index of Pods by node would cost with every Pod. */
	#podsOn(nodeName: string): Promise<readonly Pod[]> {
		return this.#options.pods.select(({ spec }) => spec.nodeName === nodeName);
	}
}

const POD = 'pod|';
const NODE = 'node|';
const ENDED = 'ended';

/** How often ended Pods are thinned out at most. */
const ENDED_PERIOD_MS = 20_000;

/** When to look again at Pods that changed while they were judged. */
const OVERTAKEN_MS = 1000;

/** How many Pods are dealt with at once: enough that a store that commits in groups has a group. */
const AT_ONCE = 64;

function podKey({ metadata }: Pod): string {
	return `${POD}${keyOf(metadata.namespace ?? '', metadata.name ?? '')}`;
}

async function inGroups<P, R>(pods: readonly P[], act: (pod: P) => Promise<R>): Promise<readonly R[]> {
	const results: R[] = [];
	for (let start = 0; start < pods.length; start += AT_ONCE) {
		results.push(...(await Promise.all(pods.slice(start, start + AT_ONCE).map(act))));
	}
	return results;
}

/** Resolves to undefined where the object is gone, has changed, or another one has its name. */
async function unlessOvertaken<R>(request: Promise<R>): Promise<R | undefined> {
	try {
		return await request;
	} catch (error) {
		if (OVERTAKEN.some((reason) => isApiError(error, reason))) return undefined;
		throw error;
	}
}

const OVERTAKEN = ['NotFound', 'Conflict'] as const;
