import type { Job, JobCondition, SuccessPolicyRule } from '../../../src/api/batch/job/schema.ts';
import { timeOf } from '../../../src/api/meta/time.ts';
import { approximate } from '../../../src/base/json/json.ts';
import { IndexSet } from '../../../src/plan/job/index-set.ts';

/**
 * When a Job has to end and when it may, by its spec and its counts alone. Written without the controller's
 * plan (only IndexSet is shared), so that a fault in that is visible.
 */

/** Why a status with these counts must have an interim condition; undefined if it need not. */
export function reasonToEnd({ spec, status }: Job): string | undefined {
	const { backoffLimitPerIndex, backoffLimit = 6, maxFailedIndexes = Number.POSITIVE_INFINITY } = spec;
	const failed = countOf(status.failed, status.uncountedTerminatedPods?.failed);
	if (isCountedByPods(spec) && backoffLimitPerIndex === undefined && failed > backoffLimit)
		return `${failed} failures, backoffLimit is ${backoffLimit}`;
	const indexes = IndexSet.parse(status.failedIndexes, ANY).size;
	if (indexes > maxFailedIndexes) return `${indexes} failed indexes, maxFailedIndexes is ${maxFailedIndexes}`;
	const completed = IndexSet.parse(status.completedIndexes, ANY);
	const isMet = spec.successPolicy?.rules.some((rule) => meets(rule, completed));
	return isMet ? `the success policy is met by ${status.completedIndexes}` : undefined;
}

/** Why the Job must not have the interim condition that was just added; undefined if it may. */
export function doubtOfEnd(job: Job, { reason }: JobCondition, now: number): string | undefined {
	const { spec, status } = job;
	const succeeded = countOf(status.succeeded, status.uncountedTerminatedPods?.succeeded);
	const startedMs = timeOf(status.startTime) ?? now;
	switch (reason) {
		case 'CompletionsReached':
			return succeeded >= (spec.completions ?? 1) ? undefined : `${succeeded} have succeeded`;
		case 'DeadlineExceeded':
			return startedMs + approximate(spec.activeDeadlineSeconds ?? ANY) * 1000 <= now
				? undefined
				: 'it is too early';
		case 'PodFailurePolicy':
			return spec.podFailurePolicy?.rules.some(({ action }) => action === 'FailJob')
				? undefined
				: 'it has none';
		case 'FailedIndexes':
			return status.failedIndexes ? undefined : 'no index has failed';
		case 'BackoffLimitExceeded':
			return isCountedByPods(spec) && reasonToEnd(job) === undefined
				? 'the limit is not exceeded'
				: undefined;
		default:
			return reasonToEnd(job) === undefined ? 'no limit or policy requires it' : undefined;
	}
}

/** Whether failed Pods count towards backoffLimit. With OnFailure the restarts of containers count instead. */
function isCountedByPods({ template }: Job['spec']): boolean {
	return template.spec.restartPolicy === 'Never';
}

function countOf(counted: number | undefined, uncounted: readonly string[] | undefined): number {
	return (counted ?? 0) + (uncounted?.length ?? 0);
}

function meets({ succeededIndexes, succeededCount }: SuccessPolicyRule, completed: IndexSet): boolean {
	if (succeededIndexes === undefined) return completed.size >= (succeededCount ?? ANY);
	const wanted = IndexSet.parse(succeededIndexes, ANY);
	return wanted.sizeOfIntersection(completed) >= (succeededCount ?? wanted.size);
}

/** More than any count or limit of a simulated Job. */
const ANY = 1000;
