import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { JobAct } from './plan.ts';

/** The finished Jobs above the history limits, the oldest first. A limit that is undefined keeps all Jobs. */
export function beyondHistory({ spec }: CronJob, children: readonly Job[]): readonly JobAct[] {
	const ended = (type: 'Complete' | 'Failed'): readonly Job[] =>
		children.filter(({ status }) => isConditionTrue(status.conditions, type)).toSorted(byStart);
	return [
		...oldest(ended('Complete'), spec.successfulJobsHistoryLimit, 'successfulJobsHistoryLimit'),
		...oldest(ended('Failed'), spec.failedJobsHistoryLimit, 'failedJobsHistoryLimit'),
	];
}

function oldest(jobs: readonly Job[], limit: number | undefined, name: string): readonly JobAct[] {
	if (limit === undefined) return [];
	const because = `${name} is ${limit} and there are later Jobs`;
	return jobs
		.slice(0, Math.max(0, jobs.length - limit))
		.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
		.map((job) => ({ job, because }));
}

function byStart(a: Job, b: Job): number {
	const start = ({ status }: Job): number => timeOf(status.startTime) ?? Number.POSITIVE_INFINITY;
	// If both have no start time, the difference of two infinities would be NaN.
	if (start(a) !== start(b)) return start(a) - start(b);
	return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}
