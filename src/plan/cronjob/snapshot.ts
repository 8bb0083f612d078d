import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import type { Job } from '../../api/batch/job/schema.ts';

/** The input of planCronJob. */
export interface CronJobSnapshot {
	readonly cronJob: CronJob;
	/** The Jobs whose controller is this CronJob. */
	readonly children: readonly Job[];
	/** The UIDs in `status.active` whose Jobs do not exist on the API server. */
	readonly missing: ReadonlySet<string>;
	/** Milliseconds since the epoch. */
	readonly now: number;
}
