import type { Namespace } from '../api/core/namespace/schema.ts';
import type { Node } from '../api/core/node/schema.ts';
import type { PersistentVolume } from '../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../api/core/persistentvolumeclaim/schema.ts';
import { hasEnded } from '../api/core/pod/phase.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import type { PodDisruptionBudget } from '../api/policy/poddisruptionbudget/schema.ts';
import { semanticEqual } from '../api/schema/equality.ts';
import type { StorageClass } from '../api/storage/storageclass/schema.ts';
import { type Keys, NO_KEYS, type Watch, watch } from '../client/controller.ts';
import { type Informer, keyOfObject } from '../client/informer.ts';
import type { Cluster, StorageView } from '../plan/placement/cluster/cluster.ts';
import { Occupancy, sameSpec } from '../plan/placement/cluster/occupancy.ts';
import type { ClusterChange } from '../plan/placement/predicates/predicate.ts';
import { Nominations } from './nominations.ts';

/** The schedulerName of the Pods that this scheduler places. */
export const SCHEDULER_NAME = 'default-scheduler';

/** The informers whose caches the scheduler reads. */
export interface SchedulerInformers {
	readonly pods: Informer<Pod>;
	readonly nodes: Informer<Node>;
	readonly namespaces: Informer<Namespace>;
	readonly claims: Informer<PersistentVolumeClaim>;
	readonly volumes: Informer<PersistentVolume>;
	readonly classes: Informer<StorageClass>;
	readonly budgets: Informer<PodDisruptionBudget>;
}

/** Receives the changes of the cluster that concern scheduling. */
export interface ClusterListener {
	/** Called if a Pod is bound, deleted, gated, or assigned to another scheduler. */
	needsNone(key: string): void;
	/** Called if a change may make an unschedulable Pod schedulable. */
	changed(change: ClusterChange): void;
}

/**
 * The scheduler's view of the cluster: the informers' caches plus its own decisions that the caches do not
 * contain yet (upstream: the scheduler cache with assumed Pods).
 *
 * Changes are detected by comparing the contents of the old and the new object. Comparing identities would be
 * cheaper but useless with a remote API server: each watch event then brings a new object, whether or not a
 * field changed.
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

	/** The informers to follow. Their keys are those of Pods that need a node, and are new or have changed. */
	get watches(): readonly Watch[] {
		const { pods, nodes, namespaces, claims, volumes, classes, budgets } = this.#informers;
		const storageChanged = (): Keys => {
			this.#listener.changed('storage');
			return NO_KEYS;
		};
		return [
			watch(budgets, () => NO_KEYS),
			watch(classes, storageChanged),
			watch(volumes, storageChanged),
			watch(claims, storageChanged),
			watch(namespaces, (namespace, old) => this.#namespaceChanged(namespace, old)),
			watch(nodes, (node, old) => this.#nodeChanged(node, old)),
			watch(pods, (pod, old) => this.#podChanged(pod, old)),
		];
	}

	/** The input of placement. It is live: it changes with the caches. */
	get cluster(): Cluster {
		this.#nodes ??= [...this.#informers.nodes.all()];
		return {
			nodes: this.#nodes,
			occupancy: this.occupancy,
			nominated: (nodeName) => this.nominations.on(nodeName),
			namespaceLabels: (namespace) => this.#informers.namespaces.get('', namespace)?.metadata.labels,
			storage: this.#storage,
			budgets: () => [...this.#informers.budgets.all()],
		};
	}

	get #storage(): StorageView {
		const { claims, volumes, classes } = this.#informers;
		return {
			claim: (namespace, name) => claims.get(namespace, name),
			volume: (name) => volumes.get('', name),
			class: (name) => classes.get('', name),
			volumes: () => volumes.all(),
		};
	}

	/** Number of Pods with scheduling gates. */
	get gated(): number {
		return this.#gated.size;
	}

	/** Forgets a decision about the Pod: it counts on a node only if the informer shows that it is bound. */
	resync({ metadata: { namespace = '', name = '', uid = '' } }: Pod): void {
		const shown = this.#informers.pods.get(namespace, name);
		if (shown?.metadata.uid === uid && countsOnNode(shown))
			this.occupancy.put(shown, shown.spec.nodeName ?? '');
		else if (this.occupancy.remove(uid)) this.#listener.changed('pod-gone');
	}

	/** Counts a Pod as returned by the API server, unless the informer shows a later version of it already. */
	learn(pod: Pod): void {
		const { namespace = '', name = '', uid, resourceVersion } = pod.metadata;
		const shown = this.#informers.pods.get(namespace, name)?.metadata;
		const isOlder = shown?.uid === uid && Number(shown?.resourceVersion) < Number(resourceVersion);
		if (isOlder && countsOnNode(pod)) this.occupancy.put(pod, pod.spec.nodeName ?? '');
		else this.resync(pod);
	}

	#namespaceChanged(namespace: Namespace | undefined, old: Namespace | undefined): Keys {
		if (semanticEqual(namespace?.metadata.labels, old?.metadata.labels)) return NO_KEYS;
		this.occupancy.forgetAnswers();
		this.#listener.changed('namespace-labels');
		return NO_KEYS;
	}

	/** A heartbeat changes only conditions, which no predicate reads, so it notifies nothing. */
	#nodeChanged(node: Node | undefined, old: Node | undefined): Keys {
		this.#nodes = undefined;
		if (!node) this.#listener.changed('node-removed');
		else if (!old) this.#listener.changed('node-added');
		else for (const change of changesOf(node, old)) this.#listener.changed(change);
		return NO_KEYS;
	}

	#podChanged(pod: Pod | undefined, old: Pod | undefined): Keys {
		if (old && old.metadata.uid !== pod?.metadata.uid) this.#podGone(old);
		if (!pod) return NO_KEYS;
		const before = old?.metadata.uid === pod.metadata.uid ? old : undefined;
		if (!pod.spec.nodeName) return this.#pendingPodChanged(pod, before);
		this.#boundPodChanged(pod, before);
		return NO_KEYS;
	}

	#podGone(pod: Pod): void {
		const { uid = '' } = pod.metadata;
		this.#gated.delete(uid);
		this.#listener.needsNone(keyOfObject(pod));
		const wasNominated = this.nominations.remove(uid);
		const wasCounted = this.occupancy.remove(uid);
		if (wasNominated || wasCounted) this.#listener.changed('pod-gone');
	}

	#boundPodChanged(pod: Pod, old: Pod | undefined): void {
		const { uid = '' } = pod.metadata;
		const { nodeName = '' } = pod.spec;
		if (!old?.spec.nodeName) {
			this.#gated.delete(uid);
			this.nominations.remove(uid);
			this.#listener.needsNone(keyOfObject(pod));
		}
		if (!countsOnNode(pod)) {
			if (this.occupancy.remove(uid)) this.#listener.changed('pod-gone');
			return;
		}
		this.occupancy.put(pod, nodeName);
		if (!old?.spec.nodeName) this.#listener.changed('pod-bound');
		else if (!sameToOthers(pod, old)) this.#listener.changed('pod-changed');
	}

	#pendingPodChanged(pod: Pod, old: Pod | undefined): Keys {
		const { uid = '' } = pod.metadata;
		const key = keyOfObject(pod);
		if (this.nominations.observe(pod, old)) this.#listener.changed('pod-gone');
		if (isGated(pod)) this.#gated.add(uid);
		else this.#gated.delete(uid);
		if (!needsNode(pod)) {
			this.#listener.needsNone(key);
			return NO_KEYS;
		}
		const isSame = old && needsNode(old) && sameSpec(pod, old) && sameToOthers(pod, old);
		return isSame ? NO_KEYS : [key];
	}
}

/** Whether this scheduler must find a node for the Pod now. */
export function needsNode(pod: Pod): boolean {
	return isOurs(pod) && !pod.metadata.deletionTimestamp && !isGated(pod);
}

function isOurs({ spec }: Pod): boolean {
	return !spec.nodeName && spec.schedulerName === SCHEDULER_NAME;
}

function isGated(pod: Pod): boolean {
	return isOurs(pod) && (pod.spec.schedulingGates?.length ?? 0) > 0;
}

/** Whether the Pod uses resources of a node: it is bound and has not ended. */
function countsOnNode(pod: Pod): boolean {
	return Boolean(pod.spec.nodeName) && !hasEnded(pod);
}

/**
 * Whether both versions are equal for predicates of other Pods, which read labels and the deletion timestamp.
 */
function sameToOthers(pod: Pod, old: Pod): boolean {
	return (
		Boolean(pod.metadata.deletionTimestamp) === Boolean(old.metadata.deletionTimestamp) &&
		semanticEqual(pod.metadata.labels, old.metadata.labels)
	);
}

/** The changes between two versions of a Node that predicates may depend on. */
function* changesOf(node: Node, old: Node): Iterable<ClusterChange> {
	if (!semanticEqual(node.status.allocatable, old.status.allocatable)) yield 'node-allocatable';
	if (!semanticEqual(node.metadata.labels, old.metadata.labels)) yield 'node-labels';
	const isSame =
		Boolean(node.spec.unschedulable) === Boolean(old.spec.unschedulable) &&
		semanticEqual(node.spec.taints, old.spec.taints);
	if (!isSame) yield 'node-taints';
}
