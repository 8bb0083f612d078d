import { withDisruption } from '../../api/core/pod/disruption.ts';
import type { Pod, PodCondition } from '../../api/core/pod/schema.ts';
import { findCondition, sinceTransition } from '../../api/meta/conditions.ts';
import type { Placement } from './place-pod.ts';

/** Changes of a Pod's status, for a strategic merge patch. */
export interface UnscheduledStatus {
	readonly conditions?: readonly PodCondition[];
	/** Null removes the field. */
	readonly nominatedNodeName?: string | null;
}

/**
 * The changes of the status of an unschedulable Pod: the PodScheduled condition with the reason, and the
 * nominated node. Undefined if the status is up to date. `now` is in RFC 3339.
 */
export function unscheduledStatus(
	pod: Pod,
	placement: Extract<Placement, { kind: 'unschedulable' }>,
	now: string,
): UnscheduledStatus | undefined {
	const condition = newCondition(pod, placement.message, now);
	const nomination = newNomination(pod, placement.preemption);
	if (condition === undefined && nomination === undefined) return undefined;
	return {
		...(condition && { conditions: [condition] }),
		...(nomination !== undefined && { nominatedNodeName: nomination }),
	};
}

function newCondition({ metadata, status }: Pod, message: string, now: string): PodCondition | undefined {
	const old = findCondition(status.conditions, 'PodScheduled');
	const generation = metadata.generation ?? 0;
	const isSame =
		old?.status === 'False' &&
		old.reason === REASON &&
		old.message === message &&
		(old.observedGeneration ?? 0) === generation;
	if (isSame) return undefined;
	const condition: PodCondition = {
		type: 'PodScheduled',
		...(generation && { observedGeneration: generation }),
		status: 'False',
		reason: REASON,
		message,
		lastTransitionTime: now,
	};
	return sinceTransition(condition, old);
}

const REASON = 'Unschedulable';

type Unschedulable = Extract<Placement, { kind: 'unschedulable' }>;

function newNomination({ status }: Pod, preemption: Unschedulable['preemption']): string | null | undefined {
	if (preemption.kind === 'preempt')
		return preemption.nodeName === status.nominatedNodeName ? undefined : preemption.nodeName;
	return preemption.endsNomination && status.nominatedNodeName ? null : undefined;
}

/**
 * The condition DisruptionTarget of a victim of preemption, for a strategic merge patch. `now` is in RFC 3339.
 * Upstream: `prepareCandidate` in framework/preemption.
 */
export function preemptionConditions(victim: Pod, preemptor: Pod, now: string): readonly PodCondition[] {
	const { generation } = victim.metadata;
	const disruption = {
		reason: 'PreemptionByScheduler',
		message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
		...(generation && { observedGeneration: generation }),
	};
	const { conditions = [] } = withDisruption(victim.status, disruption, now);
	return conditions.filter(({ type }) => type === 'DisruptionTarget');
}
