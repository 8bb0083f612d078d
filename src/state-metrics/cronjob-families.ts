import type { CronJob } from '../api/batch/cronjob/schema.ts';
import { timeZoneProblem } from '../api/batch/cronjob/time-zone.ts';
import { timeOf } from '../api/meta/time.ts';
import { nextDue, type Schedule, scheduleOf } from '../plan/cronjob/schedule.ts';
import { known, type Sample, type StateFamily, seconds } from './state-family.ts';

/** What kube-state-metrics (2.20) shows of CronJobs, but for labels and annotations: see job-families.ts. */
export const CRON_JOB_FAMILIES: readonly StateFamily<CronJob>[] = [
	{
		name: 'kube_cronjob_info',
		help: 'The CronJob is there, with its schedule.',
		read: ({ spec }, sample) => {
			const { schedule, concurrencyPolicy = 'Allow', timeZone = 'local' } = spec;
			sample(1, { schedule, concurrency_policy: concurrencyPolicy, timezone: timeZone });
		},
	},
	{
		name: 'kube_cronjob_created',
		help: 'When the CronJob was created, in seconds since 1970.',
		read: ({ metadata }, sample) => seconds(metadata.creationTimestamp, sample),
	},
	{
		name: 'kube_cronjob_status_active',
		help: 'How many of its Jobs run.',
		read: ({ status }, sample) => sample(status.active?.length ?? 0),
	},
	{
		name: 'kube_cronjob_status_last_schedule_time',
		help: 'When a Job was due last, in seconds since 1970.',
		read: ({ status }, sample) => seconds(status.lastScheduleTime, sample),
	},
	{
		name: 'kube_cronjob_status_last_successful_time',
		help: 'When a Job succeeded last, in seconds since 1970.',
		read: ({ status }, sample) => seconds(status.lastSuccessfulTime, sample),
	},
	{
		name: 'kube_cronjob_spec_suspend',
		help: 'Whether the CronJob is suspended.',
		read: ({ spec }, sample) => sample(spec.suspend ? 1 : 0),
	},
	{
		name: 'kube_cronjob_spec_starting_deadline_seconds',
		help: 'How late a Job may still be started.',
		read: ({ spec }, sample) => known(spec.startingDeadlineSeconds, sample),
	},
	{
		name: 'kube_cronjob_next_schedule_time',
		help: 'When a Job is due next after the last, in seconds since 1970: in the past if it is late.',
		read: readNext,
	},
	{
		name: 'kube_cronjob_schedule_invalid',
		help: 'The schedule or its time zone cannot be understood.',
		read: (cronJob, sample) => {
			if (!validSchedule(cronJob)) sample(1);
		},
	},
	{
		name: 'kube_cronjob_metadata_resource_version',
		help: 'The version of the CronJob.',
		read: ({ metadata }, sample) => sample(Number(metadata.resourceVersion ?? 0)),
	},
	{
		name: 'kube_cronjob_spec_successful_job_history_limit',
		help: 'How many Jobs that succeeded are kept.',
		read: ({ spec }, sample) => known(spec.successfulJobsHistoryLimit, sample),
	},
	{
		name: 'kube_cronjob_spec_failed_job_history_limit',
		help: 'How many Jobs that failed are kept.',
		read: ({ spec }, sample) => known(spec.failedJobsHistoryLimit, sample),
	},
];

function readNext(cronJob: CronJob, sample: Sample): void {
	const { metadata, spec, status } = cronJob;
	const schedule = spec.suspend ? undefined : validSchedule(cronJob);
	const afterMs = timeOf(status.lastScheduleTime) ?? timeOf(metadata.creationTimestamp);
	const nextMs = schedule && afterMs !== undefined ? nextDue(schedule, afterMs) : undefined;
	if (nextMs !== undefined) sample(Math.floor(nextMs / 1000));
}

/** The controller goes on with its own zone where it does not know the one that is asked for; this does not. */
function validSchedule({ spec }: CronJob): Schedule | undefined {
	if (spec.timeZone !== undefined && timeZoneProblem(spec.timeZone) !== undefined) return undefined;
	const parsed = scheduleOf(spec);
	return parsed.ok ? parsed.schedule : undefined;
}
