import { isFinalPhase } from '../../api/core/pod/phase.ts';
import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';

/**
 * Decides which container attempts have logs to read, and with which request. The API addresses a log only as
 * that of the current or of the previous attempt, and the node agent may restart a failed container at any
 * moment. Therefore:
 *
 * 1. The log of a running attempt is followed until the attempt ends.
 * 2. The log of an attempt that ended before we could follow it is read at once if the container will not
 *    restart.
 * 3. If the container may restart, its log is read once the status reports the attempt as the last state.
 *    From then on `previous` means this attempt. A request for the current log could return that of the next
 *    attempt instead.
 */

/** One request for a log. */
export interface LogRead {
	/** Container ID of the attempt that wrote the log. */
	readonly containerId: string;
	readonly how: 'follow' | 'previous';
}

/**
 * The logs to read now, by a container's status, oldest first. `shown` holds the container IDs already read.
 */
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

/** Whether the node agent may restart a container that ended with `exitCode`. */
function mayRestart({ spec, status, metadata }: Pod, exitCode: number): boolean {
	if (isFinalPhase(status.phase) || metadata.deletionTimestamp) return false;
	return spec.restartPolicy === 'Always' || (spec.restartPolicy === 'OnFailure' && exitCode !== 0);
}
