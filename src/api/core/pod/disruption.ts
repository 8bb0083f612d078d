import type { Int64 } from '../../../base/json/json.ts';
import { withCondition } from '../../meta/conditions.ts';
import type { PodCondition, PodStatus } from './schema.ts';

/**
 * Why a component terminates a Pod that did not fail by itself: content of the condition DisruptionTarget.
 */
export interface Disruption {
	readonly reason: string;
	readonly message: string;
	/**
	 * `metadata.generation` of the Pod that the component evaluated; absent if its decision ignored the spec.
	 */
	readonly observedGeneration?: Int64;
}

/**
 * The status with the condition DisruptionTarget=True, by which a pod failure policy distinguishes a
 * disrupted Pod from one that failed. The caller must store it before it deletes the Pod: once the Pod is
 * gone, the job controller can no longer read the condition. If the condition was already True, it keeps its
 * lastTransitionTime. `now` is RFC 3339.
 */
export function withDisruption(status: PodStatus, disruption: Disruption, now: string): PodStatus {
	const condition: PodCondition = {
		type: 'DisruptionTarget',
		...(disruption.observedGeneration && { observedGeneration: disruption.observedGeneration }),
		status: 'True',
		lastProbeTime: null,
		lastTransitionTime: now,
		reason: disruption.reason,
		message: disruption.message,
	};
	return { ...status, conditions: withCondition(status.conditions, condition) };
}
