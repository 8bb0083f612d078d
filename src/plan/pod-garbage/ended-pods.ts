import type { Pod } from '../../api/core/pod/schema.ts';

/**
 * Pods that have ended stay until somebody deletes them; beyond a limit the collector does, by the rules
 * of upstream's Pod garbage collector.
 */

/** How many ended Pods are kept unless told otherwise. */
export const DEFAULT_ENDED_PODS_LIMIT = 12_500;

/** Whether the Pod's phase is one it never leaves. */
export function isEnded({ status }: Pod): boolean {
	return status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** The ended ones among `pods` that are more than `limit`: evicted ones first, then the oldest. */
export function endedPodsBeyond(limit: number, pods: Iterable<Pod>): readonly Pod[] {
	const ended = [...pods].filter(isEnded);
	if (ended.length <= limit) return [];
	return ended.sort(byWorth).slice(0, ended.length - limit);
}

function byWorth(one: Pod, other: Pod): number {
	return (
		Number(isEvicted(other)) - Number(isEvicted(one)) ||
		compare(one.metadata.creationTimestamp ?? '', other.metadata.creationTimestamp ?? '') ||
		compare(one.metadata.name ?? '', other.metadata.name ?? '')
	);
}

/** Its node was short of something and ended it. (One evicted through the API is gone.) */
function isEvicted({ status }: Pod): boolean {
	return status.phase === 'Failed' && status.reason === 'Evicted';
}

function compare(one: string, other: string): number {
	if (one === other) return 0;
	return one < other ? -1 : 1;
}
