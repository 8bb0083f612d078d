import type { Node } from '../../../api/core/node/schema.ts';
import type { PersistentVolume } from '../../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../../api/core/persistentvolumeclaim/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { PodDisruptionBudget } from '../../../api/policy/poddisruptionbudget/schema.ts';
import type { StorageClass } from '../../../api/storage/storageclass/schema.ts';
import { memoize } from '../../../base/collections/memoize.ts';
import type { NamespaceLabels } from '../affinity-terms.ts';
import type { NodeUsage } from './node-usage.ts';
import type { Occupancy } from './occupancy.ts';
import { type Amounts, amountsOf } from './requests.ts';

/** The state of the cluster that placement reads for one decision. */
export interface Cluster {
	readonly nodes: readonly Node[];
	readonly occupancy: Occupancy;
	/** The Pods nominated to the node: preemption is making room for them. */
	nominated(nodeName: string): readonly Pod[];
	readonly namespaceLabels: NamespaceLabels;
	readonly storage: StorageView;
	/** All PodDisruptionBudgets. */
	budgets(): readonly PodDisruptionBudget[];
}

/** The claims, volumes and StorageClasses of the cluster. */
export interface StorageView {
	claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
	volume(name: string): PersistentVolume | undefined;
	class(name: string): StorageClass | undefined;
	volumes(): Iterable<PersistentVolume>;
}

/** A node and the resources that its Pods use, real or hypothetical. */
export interface NodeView {
	readonly node: Node;
	readonly usage: NodeUsage;
}

/** The name of a node. */
export function nameOf({ metadata }: Node): string {
	return metadata.name ?? '';
}

/** The allocatable resources of a node. */
export function allocatableAmounts({ status }: Node): Amounts {
	return status.allocatable ? amountsOnce(status.allocatable) : NOTHING;
}

const amountsOnce = memoize((list: Readonly<Record<string, string>>) => amountsOf(list));

const NOTHING: Amounts = new Map();
