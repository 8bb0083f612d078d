import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { memoize } from '../../base/memoize.ts';
import type { NamespaceLabels } from './affinity-terms.ts';
import type { NodeUsage } from './node-usage.ts';
import type { Occupancy } from './occupancy.ts';
import { type Amounts, amountsOf } from './requests.ts';

/** The cluster as placement sees it when it decides about one Pod. */
export interface Cluster {
	readonly nodes: readonly Node[];
	readonly occupancy: Occupancy;
	/** The Pods that wait for room on a node that preemption has promised to them. */
	nominated(nodeName: string): readonly Pod[];
	readonly namespaceLabels: NamespaceLabels;
}

/** A node with what its Pods take from it, in fact or in a trial. */
export interface NodeView {
	readonly node: Node;
	readonly usage: NodeUsage;
}

/** The name of a node. */
export function nameOf({ metadata }: Node): string {
	return metadata.name ?? '';
}

/** What a node has for Pods. */
export function allocatableOf({ status }: Node): Amounts {
	return status.allocatable ? amountsOnce(status.allocatable) : NOTHING;
}

const amountsOnce = memoize((list: Readonly<Record<string, string>>) => amountsOf(list));

const NOTHING: Amounts = new Map();
