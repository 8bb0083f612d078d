/**
 * The schema of batch/v1 CronJob. The descriptions are what `kubectl explain` prints. The template contains
 * the whole spec of a Job, so its fields are described once, in ../job/schema.ts.
 */

import { objectReferenceSchema } from '../../core/pod/schema/reference.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	nullable,
	object,
	oneOf,
	optional,
	required,
	string,
	time,
} from '../../schema/schema.ts';
import { jobSpecSchema } from '../job/schema.ts';

/** Schema of batch/v1 JobTemplateSpec. */
export const jobTemplateSpecSchema = object(
	'io.k8s.api.batch.v1.JobTemplateSpec',
	'Template of the Jobs that a CronJob creates.',
	{
		metadata: always(objectMetaSchema, 'Labels and annotations that the Jobs get.'),
		spec: required(jobSpecSchema, 'Desired state of the Jobs.'),
	},
);

/** Schema of batch/v1 CronJobSpec. */
export const cronJobSpecSchema = object(
	'io.k8s.api.batch.v1.CronJobSpec',
	'Desired state of a CronJob: its schedule and the template of its Jobs.',
	{
		schedule: required(
			string,
			'Schedule as five fields of cron (minute, hour, day of month, month, day of week) or a descriptor such as @daily or @every 1h30m.',
		),
		timeZone: nullable(
			string,
			'Name of the IANA time zone of the schedule, such as Europe/Berlin. Default UTC.',
		),
		startingDeadlineSeconds: optional(
			int64,
			'Seconds after its scheduled time until which a Job may still be created: later runs are missed. No limit by default.',
		),
		concurrencyPolicy: optional(
			oneOf('Allow', 'Forbid', 'Replace'),
			'What happens if an earlier Job still runs when the next is due. Allow: both run. Forbid: the new run is skipped. Replace: the running Job is deleted and replaced. Default Allow.',
		),
		suspend: optional(
			boolean,
			'If true, no further Jobs are created; running ones continue. Default false. Runs that become due meanwhile count as missed.',
		),
		jobTemplate: required(jobTemplateSpecSchema, 'Template of the Jobs that the controller creates.'),
		successfulJobsHistoryLimit: optional(
			int32,
			'Number of successful Jobs that are kept: older ones are deleted. Default 3.',
		),
		failedJobsHistoryLimit: optional(
			int32,
			'Number of failed Jobs that are kept: older ones are deleted. Default 1.',
		),
	},
);

/** Desired state of a CronJob. */
export type CronJobSpec = Infer<typeof cronJobSpecSchema>;

/** Schema of batch/v1 CronJob. */
export const cronJobSchema = object('io.k8s.api.batch.v1.CronJob', 'Creates Jobs on a schedule.', {
	apiVersion: required(string, 'Version of the API: batch/v1.'),
	kind: required(string, 'Kind of the object: CronJob.'),
	metadata: required(objectMetaSchema, 'Standard object metadata: name, labels, annotations and owners.'),
	spec: required(cronJobSpecSchema, 'Desired state of the CronJob, set by its author.'),
	status: required(
		object(
			'io.k8s.api.batch.v1.CronJobStatus',
			'Observed state of a CronJob, written by the CronJob controller.',
			{
				active: optional(
					list(objectReferenceSchema),
					'References to the Jobs of the CronJob that have not finished.',
				),
				lastScheduleTime: optional(time, 'Scheduled time of the latest Job that was created.'),
				lastSuccessfulTime: optional(time, 'Time at which a Job of the CronJob last completed successfully.'),
			},
		),
		'Observed state of the CronJob, written by its controller.',
	),
});

/** Creates Jobs on a schedule. */
export type CronJob = Infer<typeof cronJobSchema>;
