import type { Container } from '../../api/core/pod/schema.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../base/backoff.ts';
import type { Attempt } from './snapshot.ts';

type RestartRule = NonNullable<Container['restartPolicyRules']>[number];

/** The kubelet's delays between restarts of a container that keeps ending. */
const RESTART: BackoffPolicy = { baseMs: 10_000, capMs: 300_000 };

/** A run as long as this clears the record: the next restart is at once again. */
const CLEARED_AFTER_MS = 2 * RESTART.capMs;

/** How many attempts have to be kept for the delay to be known. */
export const ATTEMPTS_TO_KEEP = 8;

/**
 * Whether a container that ended so is started again: the first of its own rules that fits says so, else its
 * own policy, else the Pod's.
 */
export function isRestarted(container: Container, podPolicy: string | undefined, exitCode: number): boolean {
	const { restartPolicy: policy = podPolicy } = container;
	const action = ruleFor(container, exitCode)?.action;
	if (action === 'Restart' || action === 'RestartAllContainers') return true;
	if (policy === 'Always') return true;
	return policy === 'OnFailure' && exitCode !== 0;
}

/** The first of a container's own rules that is for this exit code. */
export function ruleFor({ restartPolicyRules = [] }: Container, exitCode: number): RestartRule | undefined {
	return restartPolicyRules.find((rule) => fits(rule, exitCode));
}

function fits({ exitCodes }: RestartRule, exitCode: number): boolean {
	if (!exitCodes) return false;
	const isListed = exitCodes.values?.includes(exitCode) ?? false;
	return exitCodes.operator === 'In' ? isListed : exitCodes.operator === 'NotIn' && !isListed;
}

/**
 * How long a container waits, from its last end, before it is started again: not at all the first time,
 * then ten seconds, doubling. It follows from the attempts that the runtime has, so a restart of the agent
 * changes nothing; as many are kept as the longest wait needs.
 */
export function restartDelayMs(attempts: readonly Attempt[]): number {
	let endsInARow = 0;
	for (const attempt of attempts.toReversed()) {
		if (attempt.state !== 'exited') continue;
		endsInARow += 1;
		const ranMs = attempt.finishedAt - (attempt.startedAt ?? attempt.finishedAt);
		if (ranMs > CLEARED_AFTER_MS) return backoffDelayMs(RESTART, endsInARow - 1);
	}
	return backoffDelayMs(RESTART, endsInARow - 1);
}
