import assert from 'node:assert/strict';
import test from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { isConditionTrue } from '../../src/api/meta/conditions.ts';
import { startControlPlane } from '../support/control-plane.ts';

function emptyJob(name: string, ttlSecondsAfterFinished?: number): Job {
	const containers = [{ name: 'main', image: 'busybox', command: ['true'] }];
	const template = { spec: { restartPolicy: 'Never', containers } };
	const spec = { completions: 0, ttlSecondsAfterFinished, template };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec } as unknown as Job;
}

test('a finished Job is deleted after its TTL, and one without a TTL is kept', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(jobs, 'default');
	await target.create(emptyJob('stays'));
	await target.create(emptyJob('goes', 0));
	await plane.until(jobs, 'goes', (object) => object === undefined);
	const isComplete = (object: Job | undefined): boolean =>
		isConditionTrue(object?.status.conditions, 'Complete');
	assert.ok(await plane.until(jobs, 'stays', isComplete));
});

test('a TTL that is set after the end of a Job counts from that end', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(jobs, 'default');
	await target.create(emptyJob('late'));
	await plane.until(jobs, 'late', (object) => object?.status.completionTime !== undefined);
	await target.patch('late', 'merge', { spec: { ttlSecondsAfterFinished: 0 } });
	await plane.until(jobs, 'late', (object) => object === undefined);
});
