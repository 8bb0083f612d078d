import { CHANGES } from './changes.ts';
import {
	bodyOf,
	CRON_JOBS,
	entries,
	type HostileRequest,
	JOBS,
	JSON_TYPE,
	job,
	LARGE,
	PODS,
	request,
	times,
} from './parts.ts';
import { PATCHES } from './patches.ts';
import { PLACEMENT } from './placement.ts';
import { POSTS } from './posts.ts';
import { READS } from './reads.ts';

/** The Jobs that the test has created in bulk: they alone have the label of a finished Job. */
const MANY = `${JOBS}?labelSelector=controller-uid`;

function cronJob(schedule: string): object {
	const { spec } = { spec: {}, ...job({}) };
	return {
		apiVersion: 'batch/v1',
		kind: 'CronJob',
		metadata: { name: 'h' },
		spec: { schedule, jobTemplate: { spec } },
	};
}

/** Every request, in order: the last ones change or delete the objects that earlier ones read. */
export const HOSTILE: readonly HostileRequest[] = [
	...POSTS.map(([name, status, contentType, body]) => ({
		...request('POST', `${JOBS}?dryRun=All`, bodyOf(contentType, body)),
		name: `a POST with ${name}`,
		status,
	})),
	...PATCHES.map(([name, status, contentType, body]) => ({
		...request('PATCH', `${JOBS}/${LARGE}?dryRun=All`, bodyOf(contentType, body)),
		name: `a PATCH with ${name}`,
		status,
	})),
	...READS.map(([name, status, path]) => ({ ...request('GET', path), name: `a GET of ${name}`, status })),
	{
		...request(
			'PUT',
			`${JOBS}/${LARGE}?dryRun=All`,
			bodyOf(JSON_TYPE, job({ name: LARGE }, {}, { env: times(5_000, (i) => ({ name: `N${i}` })) })),
		),
		name: 'a PUT of the large Job',
		status: 422,
	},
	{
		...request('POST', JOBS, bodyOf(JSON_TYPE, job({ name: 'stored', annotations: entries(15_000) }))),
		name: 'a POST of 15,000 annotations',
		status: 201,
	},
	...[`${'*,'.repeat(4_990)}* * * * *`, `${'*,'.repeat(1_000_000)}* * * * *`].map((schedule, index) => ({
		...request('POST', `${CRON_JOBS}?dryRun=All`, bodyOf(JSON_TYPE, cronJob(schedule))),
		name: `a POST of a CronJob with a schedule of ${schedule.length} characters`,
		status: index === 0 ? 201 : 422,
	})),
	...[...CHANGES, ...PLACEMENT].map(([name, status, method, path, body, accept = JSON_TYPE]) => ({
		...request(method, path, body && bodyOf(...body)),
		accept,
		name,
		status,
	})),
	{ ...request('DELETE', `${PODS}?labelSelector=none`), name: 'a deletion of no Pods', status: 200 },
	{
		...request('DELETE', `${MANY}&dryRun=All`),
		name: 'a deletion of thousands of Jobs in a dry run',
		status: 200,
	},
	{
		...request('DELETE', `${MANY}&propagationPolicy=Background`),
		name: 'a deletion of thousands of Jobs',
		status: 200,
	},
];
