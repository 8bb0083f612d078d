import { objectReferenceSchema } from '../../core/pod/reference-schema.ts';
import { objectMetaSchema } from '../../meta/object-meta.ts';
import {
	always,
	boolean,
	type Infer,
	int32,
	int64,
	list,
	object,
	oneOf,
	optional,
	pointer,
	required,
	string,
	time,
} from '../../meta/schema.ts';
import { jobSpecSchema } from '../job/schema.ts';

/** Schema of batch/v1 JobTemplateSpec. */
export const jobTemplateSpecSchema = object(
	'io.k8s.api.batch.v1.JobTemplateSpec',
	'What Jobs are made from.',
	{
		metadata: always(objectMetaSchema, 'Labels and annotations of the Jobs.'),
		spec: required(jobSpecSchema, 'What they are to achieve.'),
	},
);

/** Schema of batch/v1 CronJobSpec. */
export const cronJobSpecSchema = object('io.k8s.api.batch.v1.CronJobSpec', 'When which Jobs are made.', {
	schedule: required(string, 'When, in the five fields of cron.'),
	timeZone: pointer(string, 'The zone of the schedule.'),
	startingDeadlineSeconds: optional(int64, 'How late a Job may still be started.'),
	concurrencyPolicy: optional(
		oneOf('Allow', 'Forbid', 'Replace'),
		'What happens while an earlier Job still runs.',
	),
	suspend: optional(boolean, 'Whether it is at rest.'),
	jobTemplate: required(jobTemplateSpecSchema, 'What its Jobs are made from.'),
	successfulJobsHistoryLimit: optional(int32, 'How many Jobs that completed are kept.'),
	failedJobsHistoryLimit: optional(int32, 'How many Jobs that failed are kept.'),
});

/** When which Jobs are made. */
export type CronJobSpec = Infer<typeof cronJobSpecSchema>;

/** Schema of batch/v1 CronJob. */
export const cronJobSchema = object('io.k8s.api.batch.v1.CronJob', 'Makes Jobs by a schedule.', {
	apiVersion: required(string, 'Version of the API: batch/v1.'),
	kind: required(string, 'Kind of the object: CronJob.'),
	metadata: required(objectMetaSchema, 'Names, labels, owners.'),
	spec: required(cronJobSpecSchema, 'When which Jobs are made.'),
	status: required(
		object('io.k8s.api.batch.v1.CronJobStatus', 'What a CronJob has made.', {
			active: optional(list(objectReferenceSchema), 'The Jobs that still run.'),
			lastScheduleTime: optional(time, 'When a Job was due last.'),
			lastSuccessfulTime: optional(time, 'When a Job completed last.'),
		}),
		'What it has made.',
	),
});

/** Makes Jobs by a schedule. */
export type CronJob = Infer<typeof cronJobSchema>;
