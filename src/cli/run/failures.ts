import type { ContainerState, Pod } from '../../api/core/pod/schema.ts';
import { humanDuration } from '../../api/meta/duration.ts';
import { timeOf } from '../../api/meta/time.ts';

/** The failure of a container, or of a Pod without a failed container. */
export interface ContainerFailure {
	readonly pod: string;
	/**
	 * Name of the container; absent if the Pod failed without a failed container: the node rejected or evicted
	 * it.
	 */
	readonly container?: string;
	/** Container ID of the attempt that failed: the log of a later one does not tell the cause. */
	readonly containerId?: string;
	/** Exit code of the container; absent if `container` is. */
	readonly exitCode?: number;
	/** The cause: `exit code 3`, `killed by SIGKILL (exit code 137), OOMKilled`, `PodOSNotSupported: ...`. */
	readonly how: string;
	/** How long the container ran, such as `5m`; absent if unknown. */
	readonly ran?: string;
	/** RFC 3339 time; the start of the Pod if no container failed; empty if unknown. */
	readonly finishedAt: string;
	/** Number of restarts of the container. */
	readonly restarts: number;
}

/** The end of an attempt of a container. */
export type Terminated = NonNullable<ContainerState['terminated']>;

/** The failed containers of the Pods, and the Pods that failed without one; latest first. */
export function failuresOf(pods: readonly Pod[]): readonly ContainerFailure[] {
	return pods
		.flatMap((pod) => {
			const failures = failuresOfContainers(pod);
			return failures.length > 0 ? failures : failureOfPod(pod);
		})
		.toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt));
}

/** The node agent or a controller ended the Pod, and no container failed: rejected, evicted, or past its deadline. */
function failureOfPod({ metadata, status }: Pod): readonly ContainerFailure[] {
	const { phase, reason, message } = status;
	if (phase !== 'Failed' || !reason) return [];
	const how = message ? `${reason}: ${message}` : reason;
	return [{ pod: metadata.name ?? '', how, finishedAt: status.startTime ?? '', restarts: 0 }];
}

/** At most one failure per container: that of its last attempt which failed by itself. */
function failuresOfContainers({ metadata, status }: Pod): readonly ContainerFailure[] {
	const { initContainerStatuses = [], containerStatuses = [] } = status;
	return [...initContainerStatuses, ...containerStatuses].flatMap((each) => {
		const { name, state, lastState, restartCount } = each;
		const ended = state?.terminated;
		// A container that succeeded after a restart has not failed. If the node agent stopped the current attempt
		// because the Pod was deleted, its exit code tells nothing about the program: use the previous attempt.
		if (ended?.exitCode === 0) return [];
		const end = metadata.deletionTimestamp && ended && wasStopped(ended) ? undefined : ended;
		const failed = end ?? lastState?.terminated;
		if (!failed || failed.exitCode === 0) return [];
		const ran = ranFor(failed);
		return [
			{
				pod: metadata.name ?? '',
				container: name,
				...(failed.containerID && { containerId: failed.containerID }),
				exitCode: failed.exitCode,
				how: endText(failed),
				...(ran !== undefined && { ran }),
				finishedAt: failed.finishedAt ?? '',
				restarts: restartCount,
			},
		];
	});
}

/** Whether a container ended by SIGTERM or SIGKILL, with which the node agent stops containers. */
export function wasStopped({ exitCode }: Terminated): boolean {
	return exitCode === 143 || exitCode === 137;
}

/** How long an attempt ran. The start is the epoch if the container was never started, as upstream writes it. */
function ranFor({ startedAt, finishedAt }: Terminated): string | undefined {
	const [from, to] = [timeOf(startedAt), timeOf(finishedAt)];
	return from === undefined || to === undefined || from === 0 ? undefined : humanDuration(to - from);
}

/** How a container ended: exit code or signal, an unusual reason, and the termination message. */
export function endText({ exitCode, signal, reason, message }: Terminated): string {
	const number = signal || (exitCode > 128 && exitCode < 128 + 32 ? exitCode - 128 : 0);
	const name = SIGNALS[number];
	const how = name ? `killed by ${name} (exit code ${exitCode})` : `exit code ${exitCode}`;
	const why = reason && !USUAL_REASONS.has(reason) ? `, ${reason}` : '';
	return `${how}${why}${message ? `: ${message.trim()}` : ''}`;
}

/** Reasons that only repeat whether the exit code is 0. */
const USUAL_REASONS: ReadonlySet<string> = new Set(['Error', 'Completed']);

/** Signals that end a process by default. Those with other numbers on macOS are rare (SIGBUS). */
const SIGNALS: Readonly<Record<number, string>> = {
	1: 'SIGHUP',
	2: 'SIGINT',
	3: 'SIGQUIT',
	4: 'SIGILL',
	6: 'SIGABRT',
	7: 'SIGBUS',
	8: 'SIGFPE',
	9: 'SIGKILL',
	11: 'SIGSEGV',
	13: 'SIGPIPE',
	14: 'SIGALRM',
	15: 'SIGTERM',
};

/** Number of failures that are printed in full; the earlier ones are only counted. */
const MAX_PRINTED = 3;

/** The text for failures, each with the last log lines of its container. Empty for none. */
export function failuresText(
	failures: readonly ContainerFailure[],
	lastLinesOf: (failure: ContainerFailure) => readonly string[],
): string {
	const printed = failures.slice(0, MAX_PRINTED).map((failure) => {
		const { pod, container, how, ran, restarts } = failure;
		const details = [
			ran && `after ${ran}`,
			restarts > 0 && (restarts === 1 ? 'restarted once' : `restarted ${restarts} times`),
		].filter(Boolean);
		const more = details.length > 0 ? ` (${details.join(', ')})` : '';
		const lines = lastLinesOf(failure).map((line) => `      | ${line}\n`);
		const who = container === undefined ? '' : `container ${container}: `;
		return `  pod/${pod}: ${who}${how}${more}\n${lines.join('')}`;
	});
	const omitted = failures.length - printed.length;
	return printed.join('') + (omitted > 0 ? `  and ${omitted} more that failed earlier\n` : '');
}
