import type { Pod } from '../../api/core/pod/schema.ts';
import { timeOf } from '../../api/meta/time.ts';
import { priorityOf } from './cluster/occupancy.ts';

/** A node on which the Pod fits when these victims are gone. */
export interface Candidate {
	readonly nodeName: string;
	/** In descending order of importance. */
	readonly victims: readonly Pod[];
	/** Number of victims whose deletion a PodDisruptionBudget does not allow. */
	readonly violations: number;
}

/** Makes all priorities positive: otherwise more victims of negative priority would give a smaller sum. */
const PRIORITY_OFFSET = 2 ** 31;

/**
 * The criteria for the best candidate, smaller is better: the number of violated PodDisruptionBudgets, the highest
 * priority of a victim, the sum of priorities, the number of victims, the latest start. A criterion decides only
 * if all before it tie.
 */
const MEASURES: readonly ((candidate: Candidate) => number)[] = [
	({ violations }) => violations,
	({ victims }) => (victims[0] ? priorityOf(victims[0]) : Number.NEGATIVE_INFINITY),
	({ victims }) => victims.reduce((sum, pod) => sum + priorityOf(pod) + PRIORITY_OFFSET, 0),
	({ victims }) => victims.length,
	(candidate) => -earliestStart(candidate),
];

/**
 * The best candidate, the first one if several are equal (upstream: pickOneNodeForPreemption); undefined if
 * there is none.
 */
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

/**
 * The earliest start of the victims with the highest priority, in ms; one that has not started counts as the
 * latest.
 */
function earliestStart({ victims }: Candidate): number {
	const highest = victims[0] && priorityOf(victims[0]);
	return victims
		.filter((pod) => priorityOf(pod) === highest)
		.map(({ status }) => timeOf(status.startTime) ?? Number.MAX_SAFE_INTEGER)
		.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
}
