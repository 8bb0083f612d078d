import type { Int64 } from '../../../base/json.ts';
import type { PodCondition, PodStatus } from './schema.ts';

/** Who disturbs a Pod that did nothing wrong: the reason and message of its DisruptionTarget condition. */
export interface Disruption {
	readonly reason: string;
	readonly message: string;
	/** The generation of the Pod that was judged; left out by those who judge nothing of its spec. */
	readonly observedGeneration?: Int64;
}

/**
 * The status with the condition DisruptionTarget=True, by which a pod failure policy tells a Pod that was
 * disturbed from one that failed. It has to be stored before the Pod is deleted, since afterwards nobody
 * may look any more. A Pod that was disturbed before keeps the time of that. `now` is RFC 3339.
 */
export function withDisruption(status: PodStatus, disruption: Disruption, now: string): PodStatus {
	const conditions = status.conditions ?? [];
	const old = conditions.find(({ type }) => type === 'DisruptionTarget');
	const condition: PodCondition = {
		type: 'DisruptionTarget',
		...(disruption.observedGeneration && { observedGeneration: disruption.observedGeneration }),
		status: 'True',
		lastProbeTime: null,
		lastTransitionTime: old?.status === 'True' ? (old.lastTransitionTime ?? now) : now,
		reason: disruption.reason,
		message: disruption.message,
	};
	return {
		...status,
		conditions: old
			? conditions.map((other) => (other === old ? condition : other))
			: [...conditions, condition],
	};
}
