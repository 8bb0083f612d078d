/**
 * The pressure of a node, and which Pod it evicts (upstream: `synchronize` and the ranking functions in
 * pkg/kubelet/eviction). One Pod at a time is evicted, the one that uses most beyond its requests among those of the lowest
 * priority.
 */

import { aggregateRequests } from '../../api/core/pod/aggregate-requests.ts';
import { isCriticalPod } from '../../api/core/pod/critical-pod.ts';
import { DEFAULT_GRACE_SECONDS } from '../../api/core/pod/defaults.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { quantityValue } from '../../api/meta/quantity.ts';
import { approximate } from '../../base/json/json.ts';
import {
	amountText,
	type EvictionSignal,
	type Observations,
	SIGNALS,
	type Threshold,
	thresholdAmount,
} from './thresholds.ts';

/** How long a condition stays True after the last shortage: the kubelet's `evictionPressureTransitionPeriod`. */
const TRANSITION_MS = 5 * 60_000;

/** When each condition of pressure was last observed, in ms since the epoch. */
export type PressureTimes = ReadonlyMap<string, number>;

/** The times after an observation: those of conditions whose period is over are gone. */
export function pressureAfter(before: PressureTimes, met: readonly Threshold[], now: number): PressureTimes {
	const times = new Map([...before].filter(([, at]) => now - at < TRANSITION_MS));
	for (const { signal } of met) times.set(SIGNALS[signal].condition, now);
	return times;
}

/** What a Pod uses; what is not known is absent. */
export interface PodUse {
	readonly memoryBytes: number;
	readonly processes: number;
	/** Of its logs and local volumes. */
	readonly diskBytes: number;
	readonly inodes: number;
	/** By container, the working set of its memory. */
	readonly containers: ReadonlyMap<string, number>;
}

/** A Pod that runs, and what it uses; undefined if that could not be measured. */
export interface EvictionCandidate {
	readonly pod: Pod;
	readonly use: PodUse | undefined;
}

/** The Pod to evict for want of the resource of `signal`; undefined if there is none that may be evicted. */
export function podToEvict(
	candidates: readonly EvictionCandidate[],
	signal: EvictionSignal,
): EvictionCandidate | undefined {
	const rank = (each: EvictionCandidate): Rank => rankOf(each, signal);
	const ranked = candidates
		.filter(({ pod }) => !isCriticalPod(pod))
		.map((each) => ({ each, rank: rank(each) }))
		.toSorted((one, other) => compareRanks(one.rank, other.rank));
	return ranked[0]?.each;
}

/** What is compared, in this order: Pods without a measurement first, then those beyond their requests. */
interface Rank {
	readonly isUnknown: boolean;
	readonly exceeds: boolean;
	readonly priority: number;
	/** What it uses beyond its requests. */
	readonly beyond: number;
}

function rankOf({ pod, use }: EvictionCandidate, signal: EvictionSignal): Rank {
	const priority = pod.spec.priority ?? 0;
	if (!use) return { isUnknown: true, exceeds: true, priority, beyond: 0 };
	const used = usedOf(use, signal);
	const request = requestOf(pod, signal);
	// Process ids cannot be requested, so that only priority and number count.
	const exceeds = signal !== 'pid.available' && used > request;
	return { isUnknown: false, exceeds, priority, beyond: used - request };
}

function compareRanks(one: Rank, other: Rank): number {
	return (
		Number(other.isUnknown) - Number(one.isUnknown) ||
		Number(other.exceeds) - Number(one.exceeds) ||
		one.priority - other.priority ||
		other.beyond - one.beyond
	);
}

function usedOf(use: PodUse, signal: EvictionSignal): number {
	const used = {
		'memory.available': use.memoryBytes,
		'nodefs.available': use.diskBytes,
		'nodefs.inodesFree': use.inodes,
		'pid.available': use.processes,
	};
	return used[signal];
}

function requestOf({ spec }: Pod, signal: EvictionSignal): number {
	const { resource } = SIGNALS[signal];
	if (resource !== 'memory' && resource !== 'ephemeral-storage') return 0;
	return quantityValue(spec.resources?.requests?.[resource] ?? aggregateRequests(spec).get(resource) ?? '0');
}

/** The kubelet's `immediateEvictionGracePeriodSeconds`. */
export const IMMEDIATE_GRACE_SECONDS = 1;

/**
 * How long a Pod that is evicted because of the threshold gets to end. With a soft one it gets what it asks for, up to the
 * maximum (upstream: `synchronize`; a maximum of 0 has no effect there, since `calculateEffectiveGracePeriod` ignores it).
 */
export function evictionGraceSeconds({ spec }: Pick<Pod, 'spec'>, { soft }: Threshold): number {
	if (!soft) return IMMEDIATE_GRACE_SECONDS;
	const own = approximate(spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS);
	const most = soft.maxPodGraceSeconds > 0 ? soft.maxPodGraceSeconds : own;
	return Math.max(1, Math.min(own, most));
}

/** The message of an eviction for want of a resource, with the kubelet's words and its blank at the end. */
export function pressureMessage(
	{ pod, use }: EvictionCandidate,
	threshold: Threshold,
	observed: Observations,
): string {
	const { resource, format } = SIGNALS[threshold.signal];
	const supply = observed[threshold.signal];
	const parts = [`The node was low on resource: ${resource}. `];
	if (supply) {
		const least = amountText(thresholdAmount(threshold, supply.capacity), format);
		parts.push(`Threshold quantity: ${least}, available: ${amountText(supply.available, format)}. `);
	}
	if (resource !== 'memory' || !use) return parts.join('');
	const { containers, initContainers = [] } = pod.spec;
	for (const { name, resources } of [...containers, ...initContainers]) {
		const used = use.containers.get(name);
		const request = resources?.requests?.memory ?? '0';
		if (used === undefined || used <= quantityValue(request)) continue;
		const usage = amountText(used, 'BinarySI');
		parts.push(
			`Container ${name} was using ${usage}, request is ${request}, has larger consumption of memory. `,
		);
	}
	return parts.join('');
}
