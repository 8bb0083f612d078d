import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';

/**
 * Decides which runs of a container are still to be shown, and how their logs are to be asked for. The
 * API knows a log only as that of the current run or of the one before, and a container that failed may
 * be started again at any moment; so:
 *
 * 1. A run that has begun is followed to its end.
 * 2. A run that ended before it could be followed is read at once where nothing follows it.
 * 3. Where another run may follow, it is read once the status calls it the last one: then `previous`
 *    means it and no other.
 */

/** One request for a log. */
export interface LogRead {
	/** Of the run whose log it is. */
	readonly containerId: string;
	readonly how: 'follow' | 'previous';
}

/** The reads that a container's status asks for, in order; `shown` holds the runs that were read. */
export function logReads(
	pod: Pod,
	{ state, lastState, containerID }: ContainerStatus,
	shown: ReadonlySet<string>,
): readonly LogRead[] {
	const reads: LogRead[] = [];
	const last = lastState?.terminated?.containerID;
	if (last && !shown.has(last)) reads.push({ containerId: last, how: 'previous' });
	const { running, terminated } = state ?? {};
	const current = running ? containerID : terminated?.containerID;
	const settled = running || (terminated && !mayRestart(pod, terminated.exitCode));
	if (current && settled && !shown.has(current)) reads.push({ containerId: current, how: 'follow' });
	return reads;
}

function mayRestart({ spec, status, metadata }: Pod, exitCode: number): boolean {
	if (status.phase === 'Failed' || status.phase === 'Succeeded' || metadata.deletionTimestamp) return false;
	return spec.restartPolicy === 'Always' || (spec.restartPolicy === 'OnFailure' && exitCode !== 0);
}
