import { withDefaults, withField } from '../../meta/defaults.ts';
import { defaultTemplateOfJob } from '../job/defaults.ts';
import type { CronJob, CronJobSpec } from './schema.ts';

const SPEC: Partial<CronJobSpec> = {
	concurrencyPolicy: 'Allow',
	suspend: false,
	successfulJobsHistoryLimit: 3,
	failedJobsHistoryLimit: 1,
};

/** Fills what a CronJob leaves open. What its Jobs leave open is filled when they are made. */
export function defaultCronJob(cronJob: CronJob): CronJob {
	return withField(cronJob, 'spec', (spec) =>
		withField(withDefaults(spec, SPEC), 'jobTemplate', (template) =>
			withField(template, 'spec', defaultTemplateOfJob),
		),
	);
}
