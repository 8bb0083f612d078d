import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { endText, wasStopped } from './failures.ts';

/** A run of a container, or a whole Pod, that failed: to be told once, when it happens. */
export interface FailedRun {
	/** The same for each time that the same failure is seen. */
	readonly key: string;
	/** Absent where the Pod failed without one of its containers doing so (it was evicted, or ran too long). */
	readonly container?: string;
	/** In words: `exit code 3`, `Evicted: The node was low on resource: memory.` */
	readonly how: string;
	/** What the node agent does next with the container; absent where the Pod itself has failed. */
	readonly restart?: string;
}

/** The failures that a Pod's status tells of: of a restarted container the last run that failed. */
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
		const restart = state.running ? 'was started again' : restartText(state.waiting);
		runs.push({ key: `${uid} ${name} ${attempt}`, container: name, how: endText(before), restart });
	}
	const last = state?.terminated;
	// The end of a Pod that is deleted says nothing of its program.
	if (
		last &&
		last.exitCode !== 0 &&
		pod.status.phase === 'Failed' &&
		!(deletionTimestamp && wasStopped(last))
	)
		runs.push({ key: `${uid} ${name} ${restartCount}`, container: name, how: endText(last) });
	return runs;
}

/** The node agent says how long it waits: `back-off 20s restarting failed container=main pod=...`. */
function restartText(waiting: { readonly message?: string } | undefined): string {
	const [, delay] = /^back-off (\S+) restarting/.exec(waiting?.message ?? '') ?? [];
	return delay === undefined ? 'is started again' : `is started again after ${delay}`;
}
