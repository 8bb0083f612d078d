import type { Node } from '../../api/core/node/schema.ts';
import { withDisruption } from '../../api/core/pod/disruption.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { isEnded } from './ended-pods.ts';

/**
 * Which Pods nobody will ever see to, by the rules of upstream's Pod garbage collector. Such a Pod is
 * said to have failed, so that whoever counts its end (its Job) can, and is then removed without more ado.
 */

/** A Pod with what is known of its node. */
export interface PodGarbageSnapshot {
	readonly pod: Pod;
	/** The node that the Pod is bound to, where it is known. */
	readonly node: Node | undefined;
	/** That node is not there, and was not all through its quarantine. */
	readonly nodeIsGone: boolean;
	/** Milliseconds since the epoch. */
	readonly now: number;
}

/** What becomes of the Pod, and why. */
export type PodGarbagePlan = { readonly because: string } & (
	| { readonly kind: 'keep' }
	/** Give it `status`, if there is one, and then delete it with no time to end. */
	| { readonly kind: 'collect'; readonly status?: PodStatus }
);

/**
 * How long a node has to be missing before its Pods are given up (milliseconds): a list of nodes may be
 * behind that of Pods, and a node that registers anew is away for a moment.
 */
export const NODE_QUARANTINE_MS = 40_000;

/** Decides; the first rule that applies wins. */
export function planPodGarbage(seen: PodGarbageSnapshot): PodGarbagePlan {
	const { pod } = seen;
	if (isCollected(pod)) return { kind: 'keep', because: 'only its finalizers keep it' };
	const rule = RULES.find((each) => each.applies(seen));
	if (!rule) return { kind: 'keep', because: 'somebody sees to it' };
	return { kind: 'collect', ...failed(seen, rule.disruption), because: rule.because };
}

/** Whether the node is declared dead: nothing runs on it any more, whatever its Pods say. */
export function isOutOfService({ spec, status }: Node): boolean {
	const ready = status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
	return !ready && (spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false);
}

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

interface Rule {
	readonly because: string;
	/** What the DisruptionTarget condition says, where the Pod gets one. */
	readonly disruption?: { readonly reason: string; readonly message: string };
	applies(seen: PodGarbageSnapshot): boolean;
}

const RULES: readonly Rule[] = [
	{
		because: 'it is being deleted and its node is out of service',
		applies: ({ pod, node }) => isLeaving(pod) && node !== undefined && isOutOfService(node),
	},
	{
		because: 'its node no longer exists',
		disruption: { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' },
		applies: ({ pod, nodeIsGone }) => Boolean(pod.spec.nodeName) && nodeIsGone,
	},
	{
		because: 'it is being deleted and never had a node',
		applies: ({ pod }) => isLeaving(pod) && !pod.spec.nodeName,
	},
];

function isLeaving({ metadata }: Pod): boolean {
	return metadata.deletionTimestamp !== undefined;
}

/** Nothing is left to be done but what its finalizers stand for. */
function isCollected(pod: Pod): boolean {
	return isLeaving(pod) && isEnded(pod) && pod.metadata.deletionGracePeriodSeconds === 0;
}

/** A Pod that has ended keeps its end; its condition, too, would come too late to be believed. */
function failed(
	{ pod, now }: PodGarbageSnapshot,
	disruption: Rule['disruption'],
): { readonly status?: PodStatus } {
	if (isEnded(pod)) return {};
	const { generation } = pod.metadata;
	const observed = generation !== undefined && { observedGeneration: generation };
	const status: PodStatus = { ...pod.status, phase: 'Failed', ...observed };
	if (!disruption) return { status };
	return { status: withDisruption(status, { ...disruption, ...observed }, formatTime(now)) };
}
