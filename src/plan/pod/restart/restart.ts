import type { Container } from '../../../api/core/pod/schema.ts';
import { type BackoffPolicy, backoffDelayMs, failuresUntilCap } from '../../../base/queue/backoff.ts';
import type { Attempt, PodSnapshot } from '../snapshot.ts';

type RestartRule = NonNullable<Container['restartPolicyRules']>[number];

/** The kubelet's crash loop backoff: 10 s, doubled up to 300 s. */
const RESTART: BackoffPolicy = { baseMs: 10_000, capMs: 300_000 };

/** A run longer than this resets the backoff, so that the next restart is immediate. */
const RESET_AFTER_MS = 2 * RESTART.capMs;

/**
 * The number of attempts that the runtime must keep so that the backoff can be computed: those that make it reach its
 * cap, one before them, whose restart is immediate, and the present one, which may not have ended.
 */
export const ATTEMPTS_TO_KEEP = failuresUntilCap(RESTART) + 2;

/**
 * Whether the container is restarted after the end of this attempt: by its exit code, or because the agent has stopped
 * it in order to restart it.
 */
export function restartsAfter(
	{ pod, stopping }: PodSnapshot,
	container: Container,
	{ id, exitCode }: Extract<Attempt, { readonly state: 'exited' }>,
): boolean {
	return (stopping.get(id)?.restarts ?? false) || isRestarted(container, pod.spec.restartPolicy, exitCode);
}

/**
 * Whether a container is restarted after it has ended with `exitCode`. The first of its restartPolicyRules that
 * matches decides, else its own restartPolicy, else the Pod's.
 */
export function isRestarted(container: Container, podPolicy: string | undefined, exitCode: number): boolean {
	const { restartPolicy: policy = podPolicy } = container;
	const action = ruleFor(container, exitCode)?.action;
	if (action === 'Restart' || action === 'RestartAllContainers') return true;
	if (policy === 'Always') return true;
	return policy === 'OnFailure' && exitCode !== 0;
}

/** The first of the container's restartPolicyRules that matches the exit code, or undefined. */
export function ruleFor({ restartPolicyRules = [] }: Container, exitCode: number): RestartRule | undefined {
	return restartPolicyRules.find((rule) => fits(rule, exitCode));
}

function fits({ exitCodes }: RestartRule, exitCode: number): boolean {
	if (!exitCodes) return false;
	const isListed = exitCodes.values?.includes(exitCode) ?? false;
	return exitCodes.operator === 'In' ? isListed : exitCodes.operator === 'NotIn' && !isListed;
}

/**
 * The backoff of a container after its last end, in ms: 0 for the first restart, then ten seconds, doubled up
 * to the cap. It is computed from the attempts that the runtime keeps ({@link ATTEMPTS_TO_KEEP}), so that a
 * restart of the agent does not reset it. Upstream keeps it in memory.
 */
export function restartDelayMs(attempts: readonly Attempt[]): number {
	let consecutiveEnds = 0;
	for (const attempt of attempts.toReversed()) {
		if (attempt.state !== 'exited') continue;
		consecutiveEnds += 1;
		const ranMs = attempt.finishedAt - (attempt.startedAt ?? attempt.finishedAt);
		if (ranMs > RESET_AFTER_MS) return backoffDelayMs(RESTART, consecutiveEnds - 1);
	}
	return backoffDelayMs(RESTART, consecutiveEnds - 1);
}
