import type { CronJob } from '../api/batch/cronjob/schema.ts';
import { timeZoneProblem } from '../api/batch/cronjob/time-zone.ts';
import { timeOf } from '../api/meta/time.ts';
import { nextDue, type Schedule, scheduleOf } from '../plan/cronjob/schedule.ts';
import { addNumber, addTime, type Sample, type StateFamily } from './state-family.ts';

/**
 * The metrics of kube-state-metrics 2.20 for CronJobs (upstream: internal/store/cronjob.go).
 * kube_cronjob_labels and kube_cronjob_annotations are left out; job-families.ts says why.
 */
export const CRON_JOB_FAMILIES: readonly StateFamily<CronJob>[] = [
	{
		name: 'kube_cronjob_info',
		help: 'Information about the CronJob: its schedule, concurrency policy and time zone. Always 1.',
		read: ({ spec }, sample) => {
			const { schedule, concurrencyPolicy = 'Allow', timeZone = 'local' } = spec;
			sample(1, { schedule, concurrency_policy: concurrencyPolicy, timezone: timeZone });
		},
	},
	{
		name: 'kube_cronjob_created',
		help: 'Creation time of the CronJob, in seconds since the Unix epoch.',
		read: ({ metadata }, sample) => addTime(metadata.creationTimestamp, sample),
	},
	{
		name: 'kube_cronjob_status_active',
		help: 'Number of running Jobs that the CronJob has created.',
		read: ({ status }, sample) => sample(status.active?.length ?? 0),
	},
	{
		name: 'kube_cronjob_status_last_schedule_time',
		help: 'Last time at which a Job of the CronJob was scheduled, in seconds since the Unix epoch.',
		read: ({ status }, sample) => addTime(status.lastScheduleTime, sample),
	},
	{
		name: 'kube_cronjob_status_last_successful_time',
		help: 'Last time at which a Job of the CronJob completed successfully, in seconds since the Unix epoch.',
		read: ({ status }, sample) => addTime(status.lastSuccessfulTime, sample),
	},
	{
		name: 'kube_cronjob_spec_suspend',
		help: '1 if the CronJob is suspended, otherwise 0.',
		read: ({ spec }, sample) => sample(spec.suspend ? 1 : 0),
	},
	{
		name: 'kube_cronjob_spec_starting_deadline_seconds',
		help: 'Number of seconds after its scheduled time within which a Job may still be created.',
		read: ({ spec }, sample) => addNumber(spec.startingDeadlineSeconds, sample),
	},
	{
		name: 'kube_cronjob_next_schedule_time',
		help: 'First scheduled time after the last one, in seconds since the Unix epoch. In the past if the controller is late.',
		read: readNext,
	},
	{
		name: 'kube_cronjob_schedule_invalid',
		help: '1 if the schedule or the time zone cannot be parsed; no sample otherwise.',
		read: (cronJob, sample) => {
			if (!validSchedule(cronJob)) sample(1);
		},
	},
	{
		name: 'kube_cronjob_metadata_resource_version',
		help: 'Resource version of the CronJob.',
		read: ({ metadata }, sample) => sample(Number(metadata.resourceVersion ?? 0)),
	},
	{
		name: 'kube_cronjob_spec_successful_job_history_limit',
		help: 'Number of successful Jobs to keep.',
		read: ({ spec }, sample) => addNumber(spec.successfulJobsHistoryLimit, sample),
	},
	{
		name: 'kube_cronjob_spec_failed_job_history_limit',
		help: 'Number of failed Jobs to keep.',
		read: ({ spec }, sample) => addNumber(spec.failedJobsHistoryLimit, sample),
	},
];

function readNext(cronJob: CronJob, sample: Sample): void {
	const { metadata, spec, status } = cronJob;
	const schedule = spec.suspend ? undefined : validSchedule(cronJob);
	const afterMs = timeOf(status.lastScheduleTime) ?? timeOf(metadata.creationTimestamp);
	const nextMs = schedule && afterMs !== undefined ? nextDue(schedule, afterMs) : undefined;
	if (nextMs !== undefined) sample(Math.floor(nextMs / 1000));
}

/**
 * The parsed schedule; undefined if the schedule or the time zone cannot be parsed. The controller falls back
 * to its own time zone if it does not know the requested one. The metric must not: it would hide the mistake.
 */
function validSchedule({ spec }: CronJob): Schedule | undefined {
	if (spec.timeZone !== undefined && timeZoneProblem(spec.timeZone) !== undefined) return undefined;
	const parsed = scheduleOf(spec);
	return parsed.ok ? parsed.schedule : undefined;
}
