import { withDefaults, withField } from '../../schema/defaults.ts';
import { defaultTemplateOfJob } from '../job/defaults.ts';
import type { CronJob, CronJobSpec } from './schema.ts';

const SPEC: Partial<CronJobSpec> = {
	concurrencyPolicy: 'Allow',
	suspend: false,
	successfulJobsHistoryLimit: 3,
	failedJobsHistoryLimit: 1,
};

/**
 * Sets the defaults of a CronJob (upstream: SetDefaults_CronJob). Of the Job template only the Pod template
 * and the failure policy get theirs: the other fields of a Job are defaulted when the Job is created.
 */
export function defaultCronJob(cronJob: CronJob): CronJob {
	return withField(cronJob, 'spec', (spec) =>
		withField(withDefaults(spec, SPEC), 'jobTemplate', (template) =>
			withField(template, 'spec', defaultTemplateOfJob),
		),
	);
}
