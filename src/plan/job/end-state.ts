import { DEFAULT_BACKOFF_LIMIT } from '../../api/batch/job/defaults.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { findCondition, isConditionTrue } from '../../api/meta/conditions.ts';
import { timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';
import { judgeFailure } from './pod-failure-policy.ts';
import { countsAsFailed, restartCountOf } from './pods/classify.ts';
import type { JobView } from './pods/view.ts';
import { matchSuccessPolicy } from './success-policy.ts';

/** How the Job ends. The interim and the terminal condition both have this reason and message. */
export interface EndState {
	readonly outcome: 'success' | 'failure';
	readonly reason: string;
	readonly message: string;
	readonly because: string;
	/** Whether the status has the interim condition (SuccessCriteriaMet or FailureTarget) already. */
	readonly announced: boolean;
}

/** The end state that the Job has reached, by the first rule that applies; undefined if none does. */
export function findEndState(view: JobView): EndState | undefined {
	for (const rule of RULES) {
		const end = rule(view);
		if (end) return end;
	}
	return undefined;
}

type Rule = (view: JobView) => EndState | undefined;

/**
 * In upstream's order. An interim condition is never revised, so it comes first: the controller may have acted
 * on it. Failures come before successes.
 */
const RULES: readonly Rule[] = [
	({ job }) => announced(job, 'SuccessCriteriaMet', 'success'),
	({ job }) => announced(job, 'FailureTarget', 'failure'),
	failedByPolicy,
	overBackoffLimit,
	overDeadline,
	overMaxFailedIndexes,
	allIndexesEnded,
	succeededByPolicy,
];

function announced(
	{ status }: Job,
	type: 'SuccessCriteriaMet' | 'FailureTarget',
	outcome: EndState['outcome'],
): EndState | undefined {
	if (!isConditionTrue(status.conditions, type)) return undefined;
	const { reason = '', message = '' } = findCondition(status.conditions, type) ?? {};
	return { outcome, reason, message, because: `its condition ${type} is True`, announced: true };
}

function failure(reason: string, message: string, because: string): EndState {
	return { outcome: 'failure', reason, message, because, announced: false };
}

/**
 * A failed Pod matches a FailJob rule of the pod failure policy. Before the backoff limit, which it may exceed
 * too.
 */
function failedByPolicy({ job, pods }: JobView): EndState | undefined {
	const { podFailurePolicy } = job.spec;
	if (!podFailurePolicy) return undefined;
	for (const view of pods) {
		if (!countsAsFailed(view)) continue;
		const { message, because } = judgeFailure(podFailurePolicy, view.pod);
		if (message !== undefined) return failure('PodFailurePolicy', message, because);
	}
	return undefined;
}

/** backoffLimit applies to failed Pods and, with restartPolicy OnFailure, also to container restarts. */
function overBackoffLimit(view: JobView): EndState | undefined {
	const limit = view.job.spec.backoffLimit ?? DEFAULT_BACKOFF_LIMIT;
	const reached = (because: string): EndState =>
		failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit', because);
	if (view.failed > limit) return reached(`${view.failed} Pods failed and backoffLimit is ${limit}`);
	if (view.job.spec.template.spec.restartPolicy !== 'OnFailure') return undefined;
	const restarts = countRestarts(view);
	// As upstream's pastBackoffLimitOnFailure: restarts are compared with >=, failed Pods with >. With a limit of
	// 0 the first restart fails the Job.
	if (restarts < Math.max(limit, 1)) return undefined;
	return reached(`containers were restarted ${restarts} times and backoffLimit is ${limit}`);
}

/**
 * The restarts of containers in Pods that have not ended, as upstream counts them; ended Pods count in
 * `failed`.
 */
function countRestarts({ pods }: JobView): number {
	let restarts = 0;
	for (const { pod } of pods) {
		const { phase } = pod.status;
		if (phase === 'Running' || phase === 'Pending') restarts += restartCountOf(pod);
	}
	return restarts;
}

function overDeadline({ job, now }: JobView): EndState | undefined {
	const remainingMs = remainingDeadlineMs(job, now);
	if (remainingMs === undefined || remainingMs > 0) return undefined;
	const because = `activeDeadlineSeconds is ${job.spec.activeDeadlineSeconds}`;
	return failure('DeadlineExceeded', 'Job was active longer than specified deadline', because);
}

/**
 * Milliseconds that the Job may still be active; negative after its deadline. Undefined if it has no deadline
 * or is suspended. The time starts anew when a suspended Job is resumed.
 */
export function remainingDeadlineMs({ spec, status }: Job, now: number): number | undefined {
	if (spec.activeDeadlineSeconds === undefined || spec.suspend) return undefined;
	const startedMs = isConditionTrue(status.conditions, 'Suspended') ? now : (timeOf(status.startTime) ?? now);
	return approximate(spec.activeDeadlineSeconds) * 1000 - (now - startedMs);
}

function overMaxFailedIndexes({ job, indexes }: JobView): EndState | undefined {
	const { maxFailedIndexes } = job.spec;
	const failed = indexes?.perIndex?.failed.size ?? 0;
	if (maxFailedIndexes === undefined || failed <= maxFailedIndexes) return undefined;
	return failure(
		'MaxFailedIndexesExceeded',
		'Job has exceeded the specified maximal number of failed indexes',
		`${failed} indexes failed and maxFailedIndexes is ${maxFailedIndexes}`,
	);
}

/** With backoffLimitPerIndex the Job runs all indexes to their end before it fails. */
function allIndexesEnded({ indexes }: JobView): EndState | undefined {
	const failed = indexes?.perIndex?.failed.size ?? 0;
	if (!indexes || failed === 0 || failed + indexes.completed.size < indexes.completions) return undefined;
	return failure('FailedIndexes', 'Job has failed indexes', `every index has ended and ${failed} failed`);
}

function succeededByPolicy({ job, indexes }: JobView): EndState | undefined {
	if (!indexes) return undefined;
	const rule = matchSuccessPolicy(job.spec.successPolicy, indexes.completed, indexes.completions);
	if (rule === undefined) return undefined;
	const message = `Matched rules at index ${rule}`;
	return { outcome: 'success', reason: 'SuccessPolicy', message, because: message, announced: false };
}

/**
 * The end state of a Job with enough successes. Evaluated last, with the number of active Pods after this
 * plan's creations and removals. Without completions one success is enough, but the other Pods may finish
 * first.
 */
export function findCompletion({ job, succeeded }: JobView, active: number): EndState | undefined {
	const { completions } = job.spec;
	if (active > 0) return undefined;
	if (completions === undefined ? succeeded === 0 : succeeded < completions) return undefined;
	return {
		outcome: 'success',
		reason: 'CompletionsReached',
		message: 'Reached expected number of succeeded pods',
		because: `${succeeded} Pods succeeded and none is active`,
		announced: false,
	};
}
