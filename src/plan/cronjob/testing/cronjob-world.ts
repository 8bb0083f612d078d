/** CronJobs and their Jobs for tests of plan/cronjob. */

import { cronjobs } from '../../../api/batch/cronjob/definition.ts';
import type { CronJob } from '../../../api/batch/cronjob/schema.ts';
import type { Job } from '../../../api/batch/job/schema.ts';
import { controllerReferenceTo } from '../../../api/meta/controller-reference.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { JobReference } from '../plan.ts';

/** How {@link aCronJob} differs from one that was created at the epoch. */
export interface CronJobTraits {
	readonly schedule?: string;
	readonly createdMs?: number;
	readonly lastMs?: number;
	readonly spec?: Partial<CronJob['spec']>;
	readonly active?: readonly Job[];
	readonly deleting?: boolean;
}

/** A CronJob named `tick`, as the API server stores it. */
export function aCronJob(traits: CronJobTraits): CronJob {
	const { schedule = '* * * * *', createdMs = 0, lastMs, spec, active, deleting } = traits;
	const template = {
		spec: { restartPolicy: 'Never' as const, containers: [{ name: 'main', image: 'a:1' }] },
	};
	return cronjobs.defaults({
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: {
			name: 'tick',
			namespace: 'default',
			uid: 'tick-uid',
			creationTimestamp: formatTime(createdMs),
			...(deleting && { deletionTimestamp: formatTime(createdMs) }),
		},
		spec: { schedule, jobTemplate: { spec: { template } }, ...spec },
		status: {
			...(lastMs !== undefined && { lastScheduleTime: formatTime(lastMs) }),
			...(active && { active: active.map(referenceTo) }),
		},
	});
}

/** The entry of `status.active` for a Job. */
export function referenceTo({ apiVersion, kind, metadata }: Job): JobReference {
	const { namespace = '', name = '', uid = '', resourceVersion = '1' } = metadata;
	return { apiVersion, kind, namespace, name, uid, resourceVersion };
}

/** How {@link aJob} differs from one that runs. */
export interface JobTraits {
	readonly ended?: 'Complete' | 'Failed';
	readonly startMs?: number;
	readonly endMs?: number;
	readonly annotations?: Readonly<Record<string, string>>;
}

/** A Job that {@link aCronJob} controls. */
export function aJob(name: string, { ended, startMs, endMs = 0, annotations }: JobTraits = {}): Job {
	const time = formatTime(endMs);
	const owner = aCronJob({});
	const template = owner.spec.jobTemplate.spec;
	return {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: {
			name,
			namespace: 'default',
			uid: `${name}-uid`,
			resourceVersion: '1',
			...(annotations && { annotations }),
			ownerReferences: [controllerReferenceTo(owner)],
		},
		spec: template,
		status: {
			...(startMs !== undefined && { startTime: formatTime(startMs) }),
			...(ended === 'Complete' && { completionTime: time }),
			...(ended && {
				conditions: [{ type: ended, status: 'True', lastProbeTime: time, lastTransitionTime: time }],
			}),
		},
	};
}
