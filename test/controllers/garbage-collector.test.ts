import assert from 'node:assert/strict';
import test from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';

function job(name: string): Job {
	const containers = [{ name: 'main', image: 'busybox', command: ['true'] }];
	const spec = { suspend: true, template: { spec: { restartPolicy: 'Never', containers } } };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec } as unknown as Job;
}

function pod(name: string, owners: Job[], namespace = 'default'): Pod {
	const ownerReferences = owners.map(({ metadata }, i) => ({
		...{ apiVersion: 'batch/v1', kind: 'Job', name: metadata.name, uid: metadata.uid },
		...{ controller: i === 0, blockOwnerDeletion: true },
	}));
	const spec = { containers: [{ name: 'main', image: 'busybox' }], schedulerName: 'nobody' };
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, namespace, ownerReferences },
		spec,
	} as unknown as Pod;
}

async function ownerAndPod({ client }: ControlPlane, name: string): Promise<{ owner: Job; dependent: Pod }> {
	const owner = await client.resource(jobs, 'default').create(job(name));
	const dependent = await client.resource(pods, 'default').create(pod(`${name}-pod`, [owner]));
	return { owner, dependent };
}

test('in the background the owner goes at once and its Pods follow', async (t) => {
	const plane = await startControlPlane(t);
	await ownerAndPod(plane, 'owner');
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Background' });
	await plane.until(pods, 'owner-pod', (object) => object === undefined);
	await plane.until(jobs, 'owner', (object) => object === undefined);
});

test('in the foreground the owner goes after its Pods', async (t) => {
	const plane = await startControlPlane(t);
	await ownerAndPod(plane, 'owner');
	const podGone = plane.until(pods, 'owner-pod', (object) => object === undefined);
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Foreground' });
	await plane.until(jobs, 'owner', (object) => object === undefined);
	await podGone;
});

test('an orphan stays and forgets its owner', async (t) => {
	const plane = await startControlPlane(t);
	const { dependent } = await ownerAndPod(plane, 'owner');
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Orphan' });
	await plane.until(jobs, 'owner', (object) => object === undefined);
	const orphan = await plane.client.resource(pods, 'default').get('owner-pod');
	assert.equal(orphan.metadata.uid, dependent.metadata.uid);
	assert.deepEqual(orphan.metadata.ownerReferences ?? [], []);
});

test('a Pod of two owners stays with the one that is left', async (t) => {
	const plane = await startControlPlane(t);
	const { client } = plane;
	const [one, two] = [
		await client.resource(jobs, 'default').create(job('one')),
		await client.resource(jobs, 'default').create(job('two')),
	];
	await client.resource(pods, 'default').create(pod('shared', [one, two]));
	await client.resource(jobs, 'default').delete('one', { propagationPolicy: 'Background' });
	const left = await plane.until(pods, 'shared', (object) => object?.metadata.ownerReferences?.length === 1);
	assert.equal(left?.metadata.ownerReferences?.[0]?.uid, two.metadata.uid);
});

test('a Pod whose owner never was is collected', async (t) => {
	const plane = await startControlPlane(t);
	const ghost = { ...job('ghost'), metadata: { name: 'ghost', uid: '00000000-0000-4000-8000-000000000001' } };
	await plane.client.resource(pods, 'default').create(pod('haunted', [ghost]));
	await plane.until(pods, 'haunted', (object) => object === undefined);
});

test('a namespace that is deleted goes with all that is in it', async (t) => {
	const plane = await startControlPlane(t);
	const { client } = plane;
	await client.resource(namespaces).create({
		...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } },
		...{ spec: {}, status: {} },
	});
	await client.resource(jobs, 'demo').create(job('inside'));
	await client.resource(pods, 'demo').create(pod('loose', [], 'demo'));
	await client.resource(namespaces).delete('demo');
	await plane.until(namespaces, 'demo', (object) => object === undefined);
	assert.equal((await client.resource(jobs).list()).items.length, 0);
	assert.equal((await client.resource(pods).list()).items.length, 0);
});
