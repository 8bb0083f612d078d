import type { CronJob } from '../src/api/batch/cronjob/schema.ts';
import { jobs } from '../src/api/batch/job/definition.ts';
import type { Job } from '../src/api/batch/job/schema.ts';
import type { Client } from '../src/client/client.ts';

/** A Job that runs `true` in each Pod. The server sets the defaults of the missing fields. */
export function trueJob(name: string, spec: Partial<Job['spec']> = {}, image = 'busybox'): Job {
	return podJob(name, { image, command: ['/bin/true'] }, spec);
}

function podJob(
	name: string,
	program: { readonly image: string; readonly command: readonly string[] },
	spec: Partial<Job['spec']> = {},
): Job {
	const container = { name: 'main', ...program, imagePullPolicy: 'IfNotPresent' };
	return {
		apiVersion: 'batch/v1',
		kind: 'Job',
		metadata: { name, namespace: 'default' },
		spec: { ...spec, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
	} as unknown as Job;
}

/** A CronJob that is due daily at the minute of `dueMs` (UTC), and whose Pods run for ten seconds. */
export function cronJobDueAt(name: string, dueMs: number): CronJob {
	const at = new Date(dueMs);
	return {
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name, namespace: 'default' },
		spec: {
			schedule: `${at.getUTCMinutes()} ${at.getUTCHours()} * * *`,
			jobTemplate: { spec: podJob(name, { image: 'busybox', command: ['sleep', '10'] }).spec },
		},
		status: {},
	};
}

/** Creates `job`; resolves to the milliseconds until a watch, opened before, reports it as Complete. */
export async function timeJob(client: Client, job: Job): Promise<number> {
	const target = client.resource(jobs, 'default');
	const name = job.metadata.name ?? '';
	const complete = Promise.withResolvers<number>();
	const watch = await target.watch(
		{ fieldSelector: `metadata.name=${name}` },
		{
			events: (batch) => {
				for (const { object } of batch) {
					const is = (type: string) =>
						object.status?.conditions?.some((each) => each.type === type && each.status === 'True');
					if (is('Complete')) complete.resolve(performance.now());
					if (is('Failed')) complete.reject(new Error(`job ${name} failed`));
				}
			},
			ended: (error) => complete.reject(error ?? new Error('the watch ended')),
		},
	);
	const started = performance.now();
	await target.create(job);
	const took = (await complete.promise) - started;
	watch.stop();
	return took;
}
