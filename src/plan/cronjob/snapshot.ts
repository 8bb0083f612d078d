import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import type { Job } from '../../api/batch/job/schema.ts';

/** All that {@link planCronJob} decides from. */
export interface CronJobSnapshot {
	readonly cronJob: CronJob;
	/** The Jobs whose controller is this CronJob. */
	readonly children: readonly Job[];
	/** UIDs of those of `status.active` of which the API server says that they are gone. */
	readonly missing: ReadonlySet<string>;
	/** In milliseconds. */
	readonly now: number;
}
