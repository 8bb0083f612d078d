import type { Taint } from '../../api/core/node/schema.ts';
import { withDisruption } from '../../api/core/pod/disruption.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json.ts';
import { tolerationOf } from '../placement/taints.ts';

/**
 * Which Pods a node's NoExecute taints drive away, and when, by the rules of upstream's taint eviction
 * controller: at once, never, or after the tolerationSeconds of the toleration that bears the taint.
 *
 * Upstream counts that time in memory, from when its controller noticed; here it follows from the Pod and
 * the taint, so a restart of the controller does not give the Pod more time.
 */

/** A Pod that is bound to a node, and what is known of that node. */
export interface TaintEvictionSnapshot {
	readonly pod: Pod;
	/** The node's taints of whatever effect. */
	readonly taints: readonly Taint[];
	/** When a taint was noticed that does not say since when it is there. */
	noticedAt(taint: Taint): number;
	/** Milliseconds since the epoch. */
	readonly now: number;
}

/** What becomes of the Pod, and why. */
export type TaintEvictionPlan = { readonly because: string } & (
	| { readonly kind: 'keep' }
	/** Look again then, in milliseconds since the epoch. */
	| { readonly kind: 'wait'; readonly until: number }
	/** Give it `status`, and then delete it. `due`: since when that was to be. */
	| { readonly kind: 'evict'; readonly status: PodStatus; readonly due: number }
);

/** Decides. */
export function planTaintEviction(seen: TaintEvictionSnapshot): TaintEvictionPlan {
	const { pod, now } = seen;
	const taints = seen.taints.filter(({ effect }) => effect === 'NoExecute');
	if (taints.length === 0) return { kind: 'keep', because: 'its node has no NoExecute taint' };
	if (isEvicted(pod)) return { kind: 'keep', because: 'it is on its way already' };
	const due = leastOf(taints, (taint) => bornUntil(taint, seen));
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
	return { kind: 'evict', status, due: Math.max(due, since(seen)), because: 'it does not tolerate a taint' };
}

const DISRUPTION = {
	reason: 'DeletionByTaintManager',
	message: 'Taint manager: deleting due to NoExecute taint',
};

function isEvicted({ metadata, status }: Pod): boolean {
	const disrupted = status.conditions?.some(
		(one) => one.type === 'DisruptionTarget' && one.status === 'True',
	);
	return metadata.deletionTimestamp !== undefined && disrupted === true;
}

/** The first toleration that covers the taint says for how long. */
function bornUntil(taint: Taint, seen: TaintEvictionSnapshot): number {
	const toleration = tolerationOf(taint, seen.pod.spec.tolerations);
	if (!toleration) return Number.NEGATIVE_INFINITY;
	const { tolerationSeconds } = toleration;
	if (tolerationSeconds === undefined) return Number.POSITIVE_INFINITY;
	if (tolerationSeconds <= 0) return Number.NEGATIVE_INFINITY;
	return Math.max(addedAt(taint, seen), boundAt(seen.pod)) + approximate(tolerationSeconds) * 1000;
}

function addedAt(taint: Taint, { noticedAt }: TaintEvictionSnapshot): number {
	return timeOf(taint.timeAdded) ?? noticedAt(taint);
}

/** Since when a taint concerns the Pod. */
function since(seen: TaintEvictionSnapshot): number {
	const taints = seen.taints.filter(({ effect }) => effect === 'NoExecute');
	return Math.max(
		boundAt(seen.pod),
		leastOf(taints, (taint) => addedAt(taint, seen)),
	);
}

/** Infinity of none. `Math.min(...values)` throws for more arguments than the stack holds. */
function leastOf(taints: readonly Taint[], instantOf: (taint: Taint) => number): number {
	return taints.reduce((least, taint) => Math.min(least, instantOf(taint)), Number.POSITIVE_INFINITY);
}

function boundAt({ metadata, status }: Pod): number {
	const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
	return timeOf(scheduled?.lastTransitionTime ?? metadata.creationTimestamp) ?? 0;
}
