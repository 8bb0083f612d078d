import type { ContainerState, Pod } from '../../api/core/pod/schema.ts';
import { humanDuration } from '../../api/meta/duration.ts';
import { timeOf } from '../../api/meta/time.ts';

/** How a container of a Pod ended badly, or a whole Pod. */
export interface Failure {
	readonly pod: string;
	/** Absent where the Pod failed without one of its containers doing so: the node rejected or evicted it. */
	readonly container?: string;
	/** Absent where {@link container} is. */
	readonly exitCode?: number;
	/** In words: `exit code 3`, `killed by SIGKILL (exit code 137), OOMKilled`, `PodOSNotSupported: ...`. */
	readonly how: string;
	/** How long it had run; absent where that is not known. */
	readonly ran?: string;
	readonly finishedAt: string;
	/** How often the container had been started again. */
	readonly restarts: number;
}

type Terminated = NonNullable<ContainerState['terminated']>;

/** The containers of these Pods that ended badly, and the Pods that failed without one, the latest first. */
export function failuresOf(pods: readonly Pod[]): readonly Failure[] {
	return pods
		.flatMap((pod) => {
			const failures = failuresOfContainers(pod);
			return failures.length > 0 ? failures : failureOfPod(pod);
		})
		.toSorted((a, b) => b.finishedAt.localeCompare(a.finishedAt));
}

function failureOfPod({ metadata, status }: Pod): readonly Failure[] {
	const { phase, reason, message } = status;
	if (phase !== 'Failed' || !reason) return [];
	const how = message ? `${reason}: ${message}` : reason;
	return [{ pod: metadata.name ?? '', how, finishedAt: status.startTime ?? '', restarts: 0 }];
}

function failuresOfContainers({ metadata, status }: Pod): readonly Failure[] {
	const { initContainerStatuses = [], containerStatuses = [] } = status;
	return [...initContainerStatuses, ...containerStatuses].flatMap((each) => {
		const { name, state, lastState, restartCount } = each;
		const ended = state?.terminated;
		// A run that succeeded after others failed is no failure; one that was ended from outside, since
		// its Pod was deleted, says nothing of the program, but the run before it may.
		if (ended?.exitCode === 0) return [];
		const end = metadata.deletionTimestamp && ended && wasStopped(ended) ? undefined : ended;
		const failed = end ?? lastState?.terminated;
		if (!failed || failed.exitCode === 0) return [];
		const ran = ranFor(failed);
		return [
			{
				pod: metadata.name ?? '',
				container: name,
				exitCode: failed.exitCode,
				how: endText(failed),
				...(ran !== undefined && { ran }),
				finishedAt: failed.finishedAt ?? '',
				restarts: restartCount,
			},
		];
	});
}

/** Whether it was ended by SIGTERM or, when it did not heed that, by SIGKILL. */
export function wasStopped({ exitCode }: Terminated): boolean {
	return exitCode === 143 || exitCode === 137;
}

function ranFor({ startedAt, finishedAt }: Terminated): string | undefined {
	const [from, to] = [timeOf(startedAt), timeOf(finishedAt)];
	return from === undefined || to === undefined || from === 0 ? undefined : humanDuration(to - from);
}

/** How a container ended, in a few words. */
export function endText({ exitCode, signal, reason, message }: Terminated): string {
	const number = signal || (exitCode > 128 && exitCode < 128 + 32 ? exitCode - 128 : 0);
	const name = SIGNALS[number];
	const how = name ? `killed by ${name} (exit code ${exitCode})` : `exit code ${exitCode}`;
	const why = reason && !USUAL_REASONS.has(reason) ? `, ${reason}` : '';
	return `${how}${why}${message ? `: ${message.trim()}` : ''}`;
}

/** Reasons that say no more than the exit code does. */
const USUAL_REASONS: ReadonlySet<string> = new Set(['Error', 'Completed']);

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

/** The most failures that are told one by one. */
const MOST_TOLD = 3;

/** The failures in words, each with the last lines that its container wrote. */
export function failuresText(
	failures: readonly Failure[],
	lastLinesOf: (failure: Failure) => readonly string[],
): string {
	const told = failures.slice(0, MOST_TOLD).map((failure) => {
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
	const left = failures.length - told.length;
	return told.join('') + (left > 0 ? `  and ${left} more that failed before\n` : '');
}
