import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { formatTime, timeOf } from '../../../api/meta/time.ts';

/** The times of the last changes of a Service and its Pods for which endpoints were computed, in ms since the epoch. */
export interface TriggerTimes {
	readonly service: number;
	/** By the names of the Pods. */
	readonly pods: ReadonlyMap<string, number>;
}

/**
 * The times of this state, and the earliest of those that are later than before; undefined if none is. Endpoints that are
 * written for it have that time in an annotation, from which the latency of the network is measured (upstream:
 * `ComputeEndpointLastChangeTriggerTime`).
 */
export function triggerTimes(
	before: TriggerTimes | undefined,
	service: Service,
	pods: readonly Pod[],
): { readonly times: TriggerTimes; readonly changed: number | undefined } {
	const now = new Map(pods.map((pod) => [pod.metadata.name ?? '', changeOf(pod)]));
	const created = timeOf(service.metadata.creationTimestamp) ?? 0;
	const later = [...now]
		.filter(([name, time]) => time > (before?.pods.get(name) ?? 0))
		.map(([, time]) => time);
	if (created > (before?.service ?? 0)) later.push(created);
	const changed = later.length === 0 ? undefined : later.reduce((a, b) => Math.min(a, b));
	return { times: { service: created, pods: now }, changed };
}

/** When the Pod last became ready or not; when it was created, if it has never reported that. */
function changeOf({ status, metadata }: Pod): number {
	const ready = findCondition(status.conditions, 'Ready');
	return timeOf(ready ? (ready.lastTransitionTime ?? undefined) : metadata.creationTimestamp) ?? 0;
}

/** The time as the plans take it: as text, absent if there is none. */
export function triggerText(changed: number | undefined): { readonly triggerTime?: string } {
	return changed === undefined ? {} : { triggerTime: formatTime(changed) };
}
