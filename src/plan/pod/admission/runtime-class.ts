import type { Pod } from '../../../api/core/pod/schema.ts';
import type { RuntimeClass } from '../../../api/node/runtimeclass/schema.ts';
import { semanticEqual } from '../../../api/schema/equality.ts';
import { entryOf } from '../../../base/json/json.ts';
import { mergeTolerations } from './merge-tolerations.ts';

/**
 * Returns the Pod with the overhead, node labels and tolerations of its RuntimeClass, or why it is refused (upstream:
 * `setOverhead` and `setScheduling` of the RuntimeClass plugin).
 */
export function withRuntimeClass(pod: Pod, { overhead, scheduling }: RuntimeClass): Pod | string {
	const withOverhead = overhead ? overheadOf(pod, overhead) : pod;
	if (typeof withOverhead === 'string' || !scheduling) return withOverhead;
	return scheduled(withOverhead, scheduling);
}

function overheadOf(pod: Pod, { podFixed = {} }: NonNullable<RuntimeClass['overhead']>): Pod | string {
	const given = pod.spec.overhead ?? {};
	if (Object.keys(given).length > 0 && !semanticEqual(given, podFixed)) {
		return "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
	}
	return { ...pod, spec: { ...pod.spec, overhead: podFixed } };
}

function scheduled(
	pod: Pod,
	{ nodeSelector = {}, tolerations = [] }: NonNullable<RuntimeClass['scheduling']>,
): Pod | string {
	const own = pod.spec.nodeSelector ?? {};
	for (const [key, value] of Object.entries(nodeSelector)) {
		const other = entryOf(own, key);
		if (other === undefined || other === value) continue;
		return `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${other}`;
	}
	const selector = { ...own, ...nodeSelector };
	const merged = mergeTolerations(pod.spec.tolerations ?? [], tolerations);
	return {
		...pod,
		spec: {
			...pod.spec,
			...(Object.keys(selector).length > 0 && { nodeSelector: selector }),
			...(merged.length > 0 && { tolerations: merged }),
		},
	};
}
