/**
 * Decides which Pods have no node agent that could end them (upstream: gcOrphaned, gcUnscheduledTerminating and
 * gcTerminating in pkg/controller/podgc/gc_controller.go). Such a Pod is marked as Failed, so that its Job can
 * count it, and then deleted without a grace period.
 */

import type { Node } from '../../api/core/node/schema.ts';
import { OUT_OF_SERVICE_TAINT } from '../../api/core/node/taints.ts';
import { withDisruption } from '../../api/core/pod/disruption.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';

/** A Pod and the state of its node. */
export interface PodGarbageSnapshot {
	readonly pod: Pod;
	/** The node that the Pod is bound to; undefined if it has none or the Node does not exist. */
	readonly node: Node | undefined;
	/** Whether the Pod's Node does not exist and has not existed for {@link NODE_QUARANTINE_MS}. */
	readonly nodeIsGone: boolean;
	/** Milliseconds since the epoch. */
	readonly now: number;
}

/** The decision about the Pod, and its reason. */
export type PodGarbagePlan = { readonly because: string } & (
	| { readonly kind: 'keep' }
	/** Write `status` if it is given, then delete the Pod with a grace period of 0. */
	| { readonly kind: 'collect'; readonly status?: PodStatus }
);

/**
 * Milliseconds that a Node must be missing before its Pods are collected. The cache of Nodes may lag behind
 * that of Pods, and a node that registers again is missing for a moment. Upstream: quarantineTime.
 */
export const NODE_QUARANTINE_MS = 40_000;

/** Plans for one Pod; the first matching rule decides. */
export function planPodGarbage(seen: PodGarbageSnapshot): PodGarbagePlan {
	const { pod } = seen;
	if (isCollected(pod))
		return { kind: 'keep', because: 'it was collected already and waits for its finalizers' };
	const rule = RULES.find((each) => each.applies(seen));
	if (!rule) return { kind: 'keep', because: 'a node agent can end it' };
	return { kind: 'collect', ...failed(seen, rule.disruption), because: rule.because };
}

/** Whether an administrator has declared the node dead with the out-of-service taint, and it is not ready. */
export function isOutOfService({ spec, status }: Node): boolean {
	return (
		!isConditionTrue(status.conditions, 'Ready') &&
		(spec.taints?.some(({ key }) => key === OUT_OF_SERVICE_TAINT) ?? false)
	);
}

interface Rule {
	readonly because: string;
	/** The reason and message of the DisruptionTarget condition; undefined if the Pod gets none. */
	readonly disruption?: { readonly reason: string; readonly message: string };
	applies(seen: PodGarbageSnapshot): boolean;
}

const RULES: readonly Rule[] = [
	{
		because: 'it is being deleted and its node is out of service',
		applies: ({ pod, node }) => isBeingDeleted(pod) && node !== undefined && isOutOfService(node),
	},
	{
		because: 'its node no longer exists',
		disruption: { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' },
		applies: ({ pod, nodeIsGone }) => Boolean(pod.spec.nodeName) && nodeIsGone,
	},
	{
		because: 'it is being deleted and never had a node',
		applies: ({ pod }) => isBeingDeleted(pod) && !pod.spec.nodeName,
	},
];

function isBeingDeleted({ metadata }: Pod): boolean {
	return metadata.deletionTimestamp !== undefined;
}

/** Whether it has ended and was deleted without a grace period: it exists only because of its finalizers. */
function isCollected(pod: Pod): boolean {
	return isBeingDeleted(pod) && hasEnded(pod) && pod.metadata.deletionGracePeriodSeconds === 0;
}

/**
 * The status of the Pod as Failed. A Pod that has ended keeps its status: a condition must not explain its end
 * afterwards.
 */
function failed(
	{ pod, now }: PodGarbageSnapshot,
	disruption: Rule['disruption'],
): { readonly status?: PodStatus } {
	if (hasEnded(pod)) return {};
	const { generation } = pod.metadata;
	const observed = generation !== undefined && { observedGeneration: generation };
	const status: PodStatus = { ...pod.status, phase: 'Failed', ...observed };
	if (!disruption) return { status };
	return { status: withDisruption(status, { ...disruption, ...observed }, formatTime(now)) };
}
