import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

const PRIVILEGED = { name: 'main', image: 'busybox', securityContext: { privileged: true } };
const TEMPLATE = { spec: { restartPolicy: 'Never', containers: [PRIVILEGED] } };
const CRON_JOBS = '/apis/batch/v1/namespaces/default/cronjobs';
const CRON_JOB = {
	...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'daily' } },
	spec: { schedule: '@daily', jobTemplate: { spec: { template: TEMPLATE } } },
};
const MERGE = 'application/merge-patch+json';

test('privileged containers are forbidden, in templates and ephemeral containers too', async () => {
	const { server } = await openTestServer();
	const pod = { ...podNamed('p'), spec: { containers: [PRIVILEGED] } };
	const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, spec: { template: TEMPLATE } };
	const why = 'securityContext.privileged: Forbidden: disallowed by cluster policy';
	const given = [
		[PODS, pod, `Pod "p" is invalid: spec.containers[0].${why}`],
		[
			'/apis/batch/v1/namespaces/default/jobs',
			job,
			`Job.batch "j" is invalid: spec.template.spec.containers[0].${why}`,
		],
		[
			CRON_JOBS,
			CRON_JOB,
			`CronJob.batch "daily" is invalid: spec.jobTemplate.spec.template.spec.containers[0].${why}`,
		],
	] as const;
	for (const [path, body, message] of given) {
		const error = await refusal(server.request({ method: 'POST', path, body }));
		assert.deepEqual([error.code, error.message], [422, message]);
	}
	await server.request({ method: 'POST', path: PODS, body: podNamed('p') });
	const debug = { ...PRIVILEGED, name: 'debug' };
	const error = await refusal(
		server.request({
			...{ method: 'PATCH', path: `${PODS}/p/ephemeralcontainers`, contentType: MERGE },
			body: { spec: { ephemeralContainers: [debug] } },
		}),
	);
	assert.equal(error.message, `Pod "p" is invalid: spec.ephemeralContainers[0].${why}`);
	server.close();
});

test('with allowPrivileged they are allowed', async () => {
	const { server } = await openTestServer({ allowPrivileged: true });
	await server.request({ method: 'POST', path: CRON_JOBS, body: CRON_JOB });
	server.close();
});
