import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import type { EventText } from '../../api/core/event/event-text.ts';

/** An entry of `status.active`. */
export type JobReference = NonNullable<CronJob['status']['active']>[number];

/**
 * The writes that a CronJob needs now, as plain data. The controller applies them in this order:
 *
 * 1. `events`, which report the observed changes.
 * 2. `cleanUp`. A deletion that fails is reported as an Event and does not affect the other steps.
 * 3. `start.replace`. If a Job cannot be deleted, no Job is created.
 * 4. `start.create`. If this CronJob controls a Job of that name already, that counts as created.
 * 5. The status, if it changes: `status` without the Jobs that 3 deleted, with the Job that 4 created (see
 *    status.ts).
 *
 * A crash between any two writes loses nothing: the next plan is made from the objects as they are then.
 */
export interface CronJobPlan {
	/** The reason of the plan, as a sentence for logs and tests. */
	readonly because: string;
	readonly events: readonly EventText[];
	/** Finished Jobs above the history limits, to delete with their Pods. */
	readonly cleanUp: readonly JobAct[];
	/** The status before `start` is applied. */
	readonly status: CronJob['status'];
	readonly start?: JobStart;
	/** Milliseconds after which the CronJob must be reconciled again, even if nothing changes until then. */
	readonly lookAgainMs?: number;
}

/** A write to a Job, and its reason. */
export interface JobAct {
	readonly job: Job;
	readonly because: string;
}

/** A Job that is due. */
export interface JobStart {
	/** Active Jobs that it replaces, to delete with their Pods first. */
	readonly replace: readonly JobReference[];
	readonly create: Job;
	/** Its scheduled time, in ms since the epoch. */
	readonly dueMs: number;
}
