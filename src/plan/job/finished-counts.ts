import type { Job, JobStatus } from '../../api/batch/job/schema.ts';
import { IndexSet } from './index-set.ts';
import { isIndexed } from './pods/classify.ts';

/** The increase of a Job's counts by one status write. */
export interface FinishedCounts {
	/**
	 * Number of Pods; for an Indexed Job the number of indexes, each counted once regardless of its number of
	 * Pods.
	 */
	readonly succeeded: number;
	readonly failed: number;
	/** Present for Indexed Jobs. */
	readonly indexes?: {
		readonly succeeded: number;
		/** Present with backoffLimitPerIndex: without it an index cannot fail. */
		readonly failed?: number;
	};
}

/** Compares the status in `job` with the status `after` the write. No count is negative. */
export function countFinished(job: Job, after: JobStatus): FinishedCounts {
	const { status: before, spec } = job;
	const failed = growth(before.failed, after.failed);
	if (!isIndexed(job)) return { succeeded: growth(before.succeeded, after.succeeded), failed };
	const { completions = 0, backoffLimitPerIndex } = spec;
	const succeeded = indexGrowth(before.completedIndexes, after.completedIndexes, completions);
	const failedIndexes = indexGrowth(before.failedIndexes, after.failedIndexes, completions);
	return {
		succeeded,
		failed,
		indexes: { succeeded, ...(backoffLimitPerIndex !== undefined && { failed: failedIndexes }) },
	};
}

function growth(before = 0, after = 0): number {
	return Math.max(0, after - before);
}

/** Ignores indexes beyond `completions`, which an elastic Job may have lost, in both sets. */
function indexGrowth(before: string | undefined, after: string | undefined, completions: number): number {
	if (before === after) return 0;
	return growth(IndexSet.parse(before, completions).size, IndexSet.parse(after, completions).size);
}
