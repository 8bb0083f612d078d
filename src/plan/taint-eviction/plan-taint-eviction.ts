/**
 * Decides which Pods the NoExecute taints of a node evict, and when: at once, never, or after the
 * tolerationSeconds of the matching toleration (upstream: processPodOnNode in
 * pkg/controller/tainteviction/taint_eviction.go).
 *
 * Upstream starts a timer in memory when its controller observes the taint. Here the time is computed from the
 * Pod's binding and the taint's timeAdded, so that a restart of the controller does not give the Pod more time.
 */

import type { Taint } from '../../api/core/node/schema.ts';
import { withDisruption } from '../../api/core/pod/disruption.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import { findCondition, isConditionTrue } from '../../api/meta/conditions.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';
import { tolerationOf } from '../placement/taints.ts';

/** A Pod that is bound to a node, and the taints of that node. */
export interface TaintEvictionSnapshot {
	readonly pod: Pod;
	/** All taints of the node; those with another effect than NoExecute are ignored. */
	readonly taints: readonly Taint[];
	/**
	 * When the controller first saw the taint, in ms since the epoch. Called only for taints without timeAdded.
	 */
	noticedAt(taint: Taint): number;
	/** Milliseconds since the epoch. */
	readonly now: number;
}

/** The decision about the Pod, and its reason. */
export type TaintEvictionPlan = { readonly because: string } & (
	| { readonly kind: 'keep' }
	/** Plan again at `until`, in ms since the epoch: the Pod tolerates the taints until then. */
	| { readonly kind: 'wait'; readonly until: number }
	/** Write `status`, then delete the Pod. `due`: when the eviction was due, in ms since the epoch. */
	| { readonly kind: 'evict'; readonly status: PodStatus; readonly due: number }
);

/** Plans for one Pod. */
export function planTaintEviction(seen: TaintEvictionSnapshot): TaintEvictionPlan {
	const { pod, now } = seen;
	const taints = seen.taints.filter(({ effect }) => effect === 'NoExecute');
	if (taints.length === 0) return { kind: 'keep', because: 'its node has no NoExecute taint' };
	if (isEvicted(pod)) return { kind: 'keep', because: 'its eviction has started already' };
	const due = earliestOf(taints, (taint) => toleratedUntil(taint, seen));
	if (due === Number.POSITIVE_INFINITY) return { kind: 'keep', because: 'it tolerates all taints' };
	if (due > now) return { kind: 'wait', until: due, because: 'it tolerates the taints for a time' };
	const status = withDisruption(
		pod.status,
		{
			...DISRUPTION,
			...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
		},
		formatTime(now),
	);
	return {
		kind: 'evict',
		status,
		due: Math.max(due, taintedSince(seen)),
		because: 'it does not tolerate a taint',
	};
}

const DISRUPTION = {
	reason: 'DeletionByTaintManager',
	message: 'Taint manager: deleting due to NoExecute taint',
};

/** Whether the Pod is marked and under deletion, so that neither has to be done again. */
function isEvicted({ metadata, status }: Pod): boolean {
	return metadata.deletionTimestamp !== undefined && isConditionTrue(status.conditions, 'DisruptionTarget');
}

/**
 * Time until which the Pod tolerates `taint`, in ms since the epoch. The first matching toleration decides:
 * Infinity if it has no tolerationSeconds. -Infinity if no toleration matches, or if its tolerationSeconds are
 * not positive.
 */
function toleratedUntil(taint: Taint, seen: TaintEvictionSnapshot): number {
	const toleration = tolerationOf(taint, seen.pod.spec.tolerations);
	if (!toleration) return Number.NEGATIVE_INFINITY;
	const { tolerationSeconds } = toleration;
	if (tolerationSeconds === undefined) return Number.POSITIVE_INFINITY;
	if (tolerationSeconds <= 0) return Number.NEGATIVE_INFINITY;
	return Math.max(addedAt(taint, seen), boundAt(seen.pod)) + approximate(tolerationSeconds) * 1000;
}

/** When the taint was added, in ms since the epoch. */
function addedAt(taint: Taint, { noticedAt }: TaintEvictionSnapshot): number {
	return timeOf(taint.timeAdded) ?? noticedAt(taint);
}

/** When the Pod and a NoExecute taint first met on the node, in ms since the epoch. */
function taintedSince(seen: TaintEvictionSnapshot): number {
	const taints = seen.taints.filter(({ effect }) => effect === 'NoExecute');
	return Math.max(
		boundAt(seen.pod),
		earliestOf(taints, (taint) => addedAt(taint, seen)),
	);
}

/**
 * The earliest time; Infinity if there are no taints. `Math.min(...values)` would throw for very many taints.
 */
function earliestOf(taints: readonly Taint[], instantOf: (taint: Taint) => number): number {
	return taints.reduce((earliest, taint) => Math.min(earliest, instantOf(taint)), Number.POSITIVE_INFINITY);
}

/** When the Pod was bound to its node, in ms since the epoch: the transition of its PodScheduled condition. */
function boundAt({ metadata, status }: Pod): number {
	const scheduled = findCondition(status.conditions, 'PodScheduled');
	return timeOf(scheduled?.lastTransitionTime ?? metadata.creationTimestamp) ?? 0;
}
