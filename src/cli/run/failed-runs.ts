import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { endText, type Terminated, wasStopped } from './failures.ts';

/** A failed container attempt, or a failed Pod; {@link FollowedPods} reports each one once, when it happens. */
export interface FailedRun {
	/** Identifies the failure: the same in each status of the Pod that contains it. */
	readonly key: string;
	/** Name of the container; absent if the Pod failed without a failed container (eviction, deadline). */
	readonly container?: string;
	/** Container ID of the attempt. */
	readonly containerId?: string;
	/** The cause: `exit code 3`, `Evicted: The node was low on resource: memory.` */
	readonly how: string;
	/** What the node agent does next with the container; absent if the Pod has failed. */
	readonly restart?: string;
}

/** The failures in a Pod's status: of a restarted container its last failed attempt. */
export function failedRuns(pod: Pod): readonly FailedRun[] {
	const { initContainerStatuses = [], containerStatuses = [], phase, reason, message } = pod.status;
	const runs = [...initContainerStatuses, ...containerStatuses].flatMap((status) => runsOf(pod, status));
	if (phase !== 'Failed' || runs.some(({ restart }) => restart === undefined)) return runs;
	if (pod.metadata.deletionTimestamp) return runs;
	const how = [reason || 'the Pod failed', message].filter(Boolean).join(': ');
	return [...runs, { key: `${pod.metadata.uid} failed`, how }];
}

function runsOf(pod: Pod, { name, state, lastState, restartCount }: ContainerStatus): readonly FailedRun[] {
	const { uid, deletionTimestamp } = pod.metadata;
	const runs: FailedRun[] = [];
	const before = lastState?.terminated;
	if (before && before.exitCode !== 0 && (state?.running || state?.waiting)) {
		const attempt = state.running ? restartCount - 1 : restartCount;
		const restart = state.running ? 'was restarted' : restartText(state.waiting);
		runs.push({ key: `${uid} ${name} ${attempt}`, ...runOf(name, before), restart });
	}
	const last = state?.terminated;
	// A container of a deleted Pod ends because the node agent stops it: that is no failure of its program.
	if (
		last &&
		last.exitCode !== 0 &&
		pod.status.phase === 'Failed' &&
		!(deletionTimestamp && wasStopped(last))
	)
		runs.push({ key: `${uid} ${name} ${restartCount}`, ...runOf(name, last) });
	return runs;
}

function runOf(container: string, ended: Terminated): Omit<FailedRun, 'key'> {
	const { containerID } = ended;
	return { container, ...(containerID && { containerId: containerID }), how: endText(ended) };
}

/**
 * The node agent puts the backoff into the message: `back-off 20s restarting failed container=main pod=...`.
 */
function restartText(waiting: { readonly message?: string } | undefined): string {
	const [, delay] = /^back-off (\S+) restarting/.exec(waiting?.message ?? '') ?? [];
	return delay === undefined ? 'restarts' : `restarts after a back-off of ${delay}`;
}
