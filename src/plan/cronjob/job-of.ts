import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { zonedTime, zoneNamed } from '../../api/batch/cronjob/time-zone.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import { parseTime } from '../../api/meta/time.ts';
import { SCHEDULED_TIMESTAMP } from './identifiers.ts';

/**
 * The Job that a CronJob creates for a scheduled time. Its name is derived from the minute, so that a second
 * attempt to create it fails with AlreadyExists instead of creating another one.
 */
export function jobOf(cronJob: CronJob, dueMs: number): Job {
	const { jobTemplate, timeZone = '' } = cronJob.spec;
	const { labels, annotations } = jobTemplate.metadata ?? {};
	const { namespace } = cronJob.metadata;
	return {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: {
			name: jobNameOf(cronJob, dueMs),
			...(namespace && { namespace }),
			...(labels && { labels }),
			annotations: { ...annotations, [SCHEDULED_TIMESTAMP]: zonedTime(dueMs, zoneNamed(timeZone)) },
			ownerReferences: [controllerReferenceTo(cronJob)],
		},
		spec: jobTemplate.spec,
		status: {},
	};
}

/** The name of the Job for a scheduled time: the CronJob's name and the minutes since the Unix epoch. */
export function jobNameOf({ metadata }: CronJob, dueMs: number): string {
	return `${metadata.name ?? ''}-${Math.floor(dueMs / 60_000)}`;
}

/** The scheduled time of a Job in ms since the epoch; undefined if it was not created from {@link jobOf}. */
export function dueTimeOf(cronJob: CronJob, { metadata }: Job): number | undefined {
	const dueMs = parseTime(metadata.annotations?.[SCHEDULED_TIMESTAMP] ?? '');
	return dueMs !== undefined && metadata.name === jobNameOf(cronJob, dueMs) ? dueMs : undefined;
}
