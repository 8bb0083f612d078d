import type { Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { priorityOf } from './occupancy.ts';

/** A node that has room once these Pods have left it. */
export interface Candidate {
	readonly nodeName: string;
	/** By descending importance. */
	readonly victims: readonly Pod[];
}

/** Makes all priorities positive, so that fewer victims of a negative priority are better than more. */
const PRIORITY_OFFSET = 2 ** 31;

/**
 * What a good candidate is, in order: the next measure decides between those that are equal by the ones
 * before it. Less is better. Upstream's first measure, violated PodDisruptionBudgets, is missing here as
 * those are not served.
 */
const MEASURES: readonly ((candidate: Candidate) => number)[] = [
	({ victims }) => (victims[0] ? priorityOf(victims[0]) : Number.NEGATIVE_INFINITY),
	({ victims }) => victims.reduce((sum, pod) => sum + priorityOf(pod) + PRIORITY_OFFSET, 0),
	({ victims }) => victims.length,
	(candidate) => -earliestStart(candidate),
];

/** The best candidate (upstream: pickOneNodeForPreemption); of equal ones the first. */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
	let best = candidates;
	for (const measure of MEASURES) {
		if (best.length <= 1) break;
		const values = best.map(measure);
		const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
		best = best.filter((_, index) => values[index] === least);
	}
	return best[0];
}

/** When the first of the most important victims started; those that have not started count as the latest. */
function earliestStart({ victims }: Candidate): number {
	const highest = victims[0] && priorityOf(victims[0]);
	return victims
		.filter((pod) => priorityOf(pod) === highest)
		.map(({ status }) => timeOf(status.startTime) ?? Number.MAX_SAFE_INTEGER)
		.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
}
