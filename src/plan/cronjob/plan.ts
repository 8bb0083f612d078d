import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import type { EventText } from '../event-text.ts';

/** An entry of `status.active`. */
export type JobReference = NonNullable<CronJob['status']['active']>[number];

/**
 * What is to be done about a CronJob now, as plain data. Whoever performs it keeps this order:
 *
 * 1. `events`, which tell what was seen.
 * 2. `cleanUp`. A deletion that fails is announced and leaves the rest as it is.
 * 3. `start.replace`. If one cannot be deleted, no Job is created.
 * 4. `start.create`. A Job of that name that is there already, and is this CronJob's, is as good as created.
 * 5. The status: `status` without what 3 deleted, with what 4 created (see status.ts), if that changes it.
 *
 * A crash between any two writes loses nothing: the next plan goes on from what is there.
 */
export interface CronJobPlan {
	/** One sentence for people. */
	readonly because: string;
	readonly events: readonly EventText[];
	/** Finished Jobs that are more than the history limits keep; to be deleted with their Pods. */
	readonly cleanUp: readonly JobAct[];
	/** The status as it is before anything is started. */
	readonly status: CronJob['status'];
	readonly start?: JobStart;
	/** Look again after so many milliseconds, if nothing happens before. */
	readonly lookAgainMs?: number;
}

/** Something to do to a Job, and why. */
export interface JobAct {
	readonly job: Job;
	readonly because: string;
}

/** A Job whose time has come. */
export interface JobStart {
	/** Jobs that make room for it; to be deleted with their Pods. */
	readonly replace: readonly JobReference[];
	readonly create: Job;
	/** When it was due, in milliseconds. */
	readonly dueMs: number;
}
