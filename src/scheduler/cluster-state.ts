import type { Namespace } from '../api/core/namespace/schema.ts';
import type { Node } from '../api/core/node/schema.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { semanticEqual } from '../api/meta/equality.ts';
import { type Informer, keyOf } from '../client/informer.ts';
import type { Cluster } from '../plan/placement/cluster.ts';
import { Occupancy, priorityOf, sameSpec } from '../plan/placement/occupancy.ts';
import type { ClusterChange } from '../plan/placement/predicates/predicate.ts';
import { Nominations } from './nominations.ts';

/** The schedulerName of the Pods that this scheduler places. */
export const SCHEDULER_NAME = 'default-scheduler';

/** The informers that the scheduler sees the cluster through. */
export interface SchedulerInformers {
	readonly pods: Informer<Pod>;
	readonly nodes: Informer<Node>;
	readonly namespaces: Informer<Namespace>;
}

/** What is made of the changes that the informers show. */
export interface ClusterListener {
	/** The Pod needs a node, and is new or has changed. */
	needsNode(key: string, priority: number): void;
	/** The Pod needs no node of this scheduler any more. */
	needsNone(key: string): void;
	/** Something changed that may help a Pod that found no node. */
	changed(change: ClusterChange): void;
}

/**
 * What the scheduler knows of the cluster: what the informers show, and the decisions it has made that they
 * do not show yet. What an object means is told by comparing its content with what it was: over HTTP each
 * event brings a new object, whether something changed or not.
 */
export class ClusterState {
	readonly #informers: SchedulerInformers;
	readonly #listener: ClusterListener;
	readonly occupancy = new Occupancy();
	readonly nominations = new Nominations();
	readonly #gated = new Set<string>();
	#nodes: readonly Node[] | undefined;

	constructor(informers: SchedulerInformers, listener: ClusterListener) {
		this.#informers = informers;
		this.#listener = listener;
	}

	/** Follows the informers from now on; they must be in sync. */
	follow(): void {
		const { pods, nodes, namespaces } = this.#informers;
		namespaces.subscribe((namespace, old) => this.#seeNamespace(namespace, old));
		nodes.subscribe((node, old) => this.#seeNode(node, old));
		pods.subscribe((pod, old) => this.#seePod(pod, old));
	}

	/** The cluster as placement sees it now. */
	get cluster(): Cluster {
		this.#nodes ??= [...this.#informers.nodes.all()];
		return {
			nodes: this.#nodes,
			occupancy: this.occupancy,
			nominated: (nodeName) => this.nominations.on(nodeName),
			namespaceLabels: (namespace) => this.#informers.namespaces.get('', namespace)?.metadata.labels,
		};
	}

	/** How many Pods wait for their scheduling gates to be removed. */
	get gated(): number {
		return this.#gated.size;
	}

	/** Counts what the informer shows of the Pod, and nothing that was decided about it. */
	resync({ metadata: { namespace = '', name = '', uid = '' } }: Pod): void {
		const shown = this.#informers.pods.get(namespace, name);
		if (shown?.metadata.uid === uid && countsOnNode(shown))
			this.occupancy.put(shown, shown.spec.nodeName ?? '');
		else if (this.occupancy.remove(uid)) this.#listener.changed('pod-gone');
	}

	/** Counts a Pod as the API server has answered, unless the informer shows a later version already. */
	learn(pod: Pod): void {
		const { namespace = '', name = '', uid, resourceVersion } = pod.metadata;
		const shown = this.#informers.pods.get(namespace, name)?.metadata;
		const isOlder = shown?.uid === uid && Number(shown?.resourceVersion) < Number(resourceVersion);
		if (isOlder && countsOnNode(pod)) this.occupancy.put(pod, pod.spec.nodeName ?? '');
		else this.resync(pod);
	}

	#seeNamespace(namespace: Namespace | undefined, old: Namespace | undefined): void {
		if (semanticEqual(namespace?.metadata.labels, old?.metadata.labels)) return;
		this.occupancy.forgetAnswers();
		this.#listener.changed('namespace-labels');
	}

	/** A heartbeat changes conditions only: then nothing is worth another try. */
	#seeNode(node: Node | undefined, old: Node | undefined): void {
		this.#nodes = undefined;
		if (!node) this.#listener.changed('node-removed');
		else if (!old) this.#listener.changed('node-added');
		else for (const change of changesOf(node, old)) this.#listener.changed(change);
	}

	#seePod(pod: Pod | undefined, old: Pod | undefined): void {
		if (old && old.metadata.uid !== pod?.metadata.uid) this.#podGone(old);
		if (!pod) return;
		const before = old?.metadata.uid === pod.metadata.uid ? old : undefined;
		if (pod.spec.nodeName) this.#seeBound(pod, before);
		else this.#seePending(pod, before);
	}

	#podGone(pod: Pod): void {
		const { uid = '' } = pod.metadata;
		this.#gated.delete(uid);
		this.#listener.needsNone(keyOfPod(pod));
		const wasNominated = this.nominations.remove(uid);
		const wasCounted = this.occupancy.remove(uid);
		if (wasNominated || wasCounted) this.#listener.changed('pod-gone');
	}

	#seeBound(pod: Pod, old: Pod | undefined): void {
		const { uid = '' } = pod.metadata;
		const { nodeName = '' } = pod.spec;
		if (!old?.spec.nodeName) {
			this.#gated.delete(uid);
			this.nominations.remove(uid);
			this.#listener.needsNone(keyOfPod(pod));
		}
		if (!countsOnNode(pod)) {
			if (this.occupancy.remove(uid)) this.#listener.changed('pod-gone');
			return;
		}
		this.occupancy.put(pod, nodeName);
		if (!old?.spec.nodeName) this.#listener.changed('pod-bound');
		else if (!sameToOthers(pod, old)) this.#listener.changed('pod-changed');
	}

	#seePending(pod: Pod, old: Pod | undefined): void {
		const { uid = '' } = pod.metadata;
		const key = keyOfPod(pod);
		if (this.nominations.observe(pod, old)) this.#listener.changed('pod-gone');
		if (isGated(pod)) this.#gated.add(uid);
		else this.#gated.delete(uid);
		if (!needsNode(pod)) {
			this.#listener.needsNone(key);
			return;
		}
		const isSame = old && needsNode(old) && sameSpec(pod, old) && sameToOthers(pod, old);
		if (!isSame) this.#listener.needsNode(key, priorityOf(pod));
	}
}

/** Whether this scheduler is to find a node for the Pod now. */
export function needsNode(pod: Pod): boolean {
	return isOurs(pod) && !pod.metadata.deletionTimestamp && !isGated(pod);
}

function isOurs({ spec }: Pod): boolean {
	return !spec.nodeName && spec.schedulerName === SCHEDULER_NAME;
}

function isGated(pod: Pod): boolean {
	return isOurs(pod) && (pod.spec.schedulingGates?.length ?? 0) > 0;
}

/** A Pod that has ended takes nothing from its node. */
function countsOnNode({ spec, status }: Pod): boolean {
	return Boolean(spec.nodeName) && status.phase !== 'Succeeded' && status.phase !== 'Failed';
}

/** Whether the rules that look at other Pods see the same in both versions. */
function sameToOthers(pod: Pod, old: Pod): boolean {
	return (
		Boolean(pod.metadata.deletionTimestamp) === Boolean(old.metadata.deletionTimestamp) &&
		semanticEqual(pod.metadata.labels, old.metadata.labels)
	);
}

function* changesOf(node: Node, old: Node): Iterable<ClusterChange> {
	if (!semanticEqual(node.status.allocatable, old.status.allocatable)) yield 'node-allocatable';
	if (!semanticEqual(node.metadata.labels, old.metadata.labels)) yield 'node-labels';
	const isSame =
		Boolean(node.spec.unschedulable) === Boolean(old.spec.unschedulable) &&
		semanticEqual(node.spec.taints, old.spec.taints);
	if (!isSame) yield 'node-taints';
}

/** The key of a Pod in queues. */
export function keyOfPod({ metadata }: Pod): string {
	return keyOf(metadata.namespace ?? '', metadata.name ?? '');
}
