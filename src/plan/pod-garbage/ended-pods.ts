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

/** What decides which of many ended Pods go first. */
export interface EndedPod {
	readonly namespace: string;
	readonly name: string;
	readonly uid: string;
	readonly creationTimestamp: string;
	/** Its node was short of something and ended it. (One evicted through the API is gone.) */
	readonly isEvicted: boolean;
}

/** What {@link endedPodsBeyond} needs to know of a Pod that has ended. */
export function endedPodOf({ metadata, status }: Pod): EndedPod {
	const { namespace = '', name = '', uid = '', creationTimestamp = '' } = metadata;
	const isEvicted = status.phase === 'Failed' && status.reason === 'Evicted';
	return { namespace, name, uid, creationTimestamp, isEvicted };
}

/** Those of the ended Pods that are more than `limit`: evicted ones first, then the oldest. */
export function endedPodsBeyond(limit: number, ended: Iterable<EndedPod>): readonly EndedPod[] {
	const all = [...ended];
	if (all.length <= limit) return [];
	return all.sort(byWorth).slice(0, all.length - limit);
}

function byWorth(one: EndedPod, other: EndedPod): number {
	return (
		Number(other.isEvicted) - Number(one.isEvicted) ||
		compare(one.creationTimestamp, other.creationTimestamp) ||
		compare(one.name, other.name)
	);
}

function compare(one: string, other: string): number {
	if (one === other) return 0;
	return one < other ? -1 : 1;
}
