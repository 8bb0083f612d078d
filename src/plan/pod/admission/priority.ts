/**
 * The priority and the preemption policy that a Pod receives from its PriorityClass (upstream: `admitPod` in
 * plugin/pkg/admission/priority/admission.go).
 */

import type { Pod, PodSpec } from '../../../api/core/pod/schema.ts';
import type { PriorityClass } from '../../../api/scheduling/priorityclass/schema.ts';

/** The fields to set, or why the Pod is forbidden. */
export type PriorityDecision =
	| {
			readonly kind: 'set';
			readonly fields: Pick<PodSpec, 'priorityClassName' | 'priority' | 'preemptionPolicy'>;
	  }
	| { readonly kind: 'refuse'; readonly because: string };

/**
 * Decides for a new Pod. `found` is the PriorityClass that it names, or the default one if it names none; undefined
 * if that does not exist. The fields are computed only from the class: a Pod that sets one of them itself must give
 * the same value, since otherwise every author could claim any priority.
 */
export function decidePriority(spec: PodSpec, found: PriorityClass | undefined): PriorityDecision {
	const { priorityClassName = '' } = spec;
	if (priorityClassName !== '' && !found)
		return refuse(`no PriorityClass with name ${priorityClassName} was found`);
	const { value: priority = 0, preemptionPolicy = 'PreemptLowerPriority' } = found ?? {};
	if (spec.priority !== undefined && spec.priority !== priority)
		return refuse(differs('integer value of priority', spec.priority, priority));
	if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
		return refuse(differs('string value of PreemptionPolicy', spec.preemptionPolicy, preemptionPolicy));
	const { name } = found?.metadata ?? {};
	const fields = { ...(name !== undefined && { priorityClassName: name }), priority, preemptionPolicy };
	return { kind: 'set', fields };
}

function refuse(because: string): PriorityDecision {
	return { kind: 'refuse', because };
}

function differs(what: string, given: unknown, computed: unknown): string {
	return `the ${what} (${given}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`;
}

/**
 * Priority and preemption policy are immutable. A client that leaves them out of an update means to keep them,
 * so they are restored before validation compares old and new.
 */
export function withPriorityOf(old: Pod, pod: Pod): Pod {
	const { priority = old.spec.priority, preemptionPolicy = old.spec.preemptionPolicy } = pod.spec;
	if (priority === pod.spec.priority && preemptionPolicy === pod.spec.preemptionPolicy) return pod;
	return {
		...pod,
		spec: {
			...pod.spec,
			...(priority !== undefined && { priority }),
			...(preemptionPolicy !== undefined && { preemptionPolicy }),
		},
	};
}
