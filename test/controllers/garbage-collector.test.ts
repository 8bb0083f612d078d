import assert from 'node:assert/strict';
import test from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { ResourceDefinition } from '../../src/api/contract/resource-definition.ts';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { events } from '../../src/api/core/event/definition.ts';
import type { Event } from '../../src/api/core/event/schema.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { Client } from '../../src/client/client.ts';
import { Informers } from '../../src/client/informers.ts';
import { GarbageCollector } from '../../src/controllers/garbage-collector/garbage-collector.ts';
import { Cluster } from '../job/cluster.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';

/**
 * The garbage collector within the whole control plane: the three propagation policies, and owners that are
 * absent, replaced or unknown. The last tests run the collector alone, in order to change a dependent at the
 * moment at which the collector looks up its owner.
 */

function job(name: string): Job {
	const containers = [{ name: 'main', image: 'busybox', command: ['true'] }];
	const spec = { suspend: true, template: { spec: { restartPolicy: 'Never', containers } } };
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec } as unknown as Job;
}

const ghost = { ...job('ghost'), metadata: { name: 'ghost', uid: '00000000-0000-4000-8000-000000000001' } };

function pod(name: string, owners: Job[], namespace = 'default'): Pod {
	// The owners are no controllers: the Job controller would release Pods that its selector does not match.
	const ownerReferences = owners.map(({ metadata }) => ({
		...{ apiVersion: 'batch/v1', kind: 'Job', name: metadata.name, uid: metadata.uid },
		blockOwnerDeletion: true,
	}));
	const spec = { containers: [{ name: 'main', image: 'busybox' }], schedulerName: 'none' };
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

/** Watches Events; `found` resolves to the first new one. */
async function firstEvent({ client }: ControlPlane): Promise<{ readonly found: Promise<Event> }> {
	const { promise: found, resolve } = Promise.withResolvers<Event>();
	await client.resource(events, 'default').watch(
		{},
		{
			events: (batch) => {
				for (const { type, object } of batch) if (type === 'ADDED') resolve(object);
			},
			ended: () => undefined,
		},
	);
	return { found };
}

test('background deletion removes the owner at once and its Pods later', async (t) => {
	const plane = await startControlPlane(t);
	await ownerAndPod(plane, 'owner');
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Background' });
	await plane.until(pods, 'owner-pod', (object) => object === undefined);
	await plane.until(jobs, 'owner', (object) => object === undefined);
});

test('foreground deletion removes the owner after its Pods', async (t) => {
	const plane = await startControlPlane(t);
	await ownerAndPod(plane, 'owner');
	const podGone = plane.until(pods, 'owner-pod', (object) => object === undefined);
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Foreground' });
	await plane.until(jobs, 'owner', (object) => object === undefined);
	await podGone;
});

test('orphan deletion keeps a dependent and removes its owner reference', async (t) => {
	const plane = await startControlPlane(t);
	const { dependent } = await ownerAndPod(plane, 'owner');
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Orphan' });
	await plane.until(jobs, 'owner', (object) => object === undefined);
	const orphan = await plane.client.resource(pods, 'default').get('owner-pod');
	assert.equal(orphan.metadata.uid, dependent.metadata.uid);
	assert.deepEqual(orphan.metadata.ownerReferences ?? [], []);
});

test('a Pod of two owners keeps the reference to the one that still exists', async (t) => {
	const plane = await startControlPlane(t);
	const { client } = plane;
	const [one, two] = [
		await client.resource(jobs, 'default').create(job('one')),
		await client.resource(jobs, 'default').create(job('two')),
	];
	await client.resource(pods, 'default').create(pod('shared', [one, two]));
	await client.resource(jobs, 'default').delete('one', { propagationPolicy: 'Background' });
	const kept = await plane.until(pods, 'shared', (object) => object?.metadata.ownerReferences?.length === 1);
	assert.equal(kept?.metadata.ownerReferences?.[0]?.uid, two.metadata.uid);
});

test('the collector deletes a Pod whose owner has never existed', async (t) => {
	const plane = await startControlPlane(t);
	await plane.client.resource(pods, 'default').create(pod('haunted', [ghost]));
	await plane.until(pods, 'haunted', (object) => object === undefined);
});

test('a namespace is deleted with all its objects', async (t) => {
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

test('the collector deletes a Pod that is created after its owner was deleted', async (t) => {
	const plane = await startControlPlane(t);
	const owner = await plane.client.resource(jobs, 'default').create(job('owner'));
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Background' });
	await plane.client.resource(pods, 'default').create(pod('late', [owner]));
	await plane.until(pods, 'late', (object) => object === undefined);
});

test('foreground deletion removes a Pod that does not block its owner without waiting for one that does', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(pods, 'default');
	const { dependent: held } = await ownerAndPod(plane, 'owner');
	await target.patch('owner-pod', 'merge', { metadata: { finalizers: ['a/b'] } });
	const ownerReferences = held.metadata.ownerReferences?.map((one) => ({
		...one,
		blockOwnerDeletion: false,
	}));
	const loose = pod('loose', []);
	await target.create({ ...loose, metadata: { ...loose.metadata, ownerReferences: ownerReferences ?? [] } });
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Foreground' });
	await plane.until(pods, 'loose', (object) => object === undefined);
	assert.ok((await plane.client.resource(jobs, 'default').get('owner')).metadata.deletionTimestamp);
	await target.patch('owner-pod', 'merge', { metadata: { finalizers: null } });
	await plane.until(jobs, 'owner', (object) => object === undefined);
});

test('foreground deletion finishes once a Pod no longer blocks its owner', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(pods, 'default');
	const { dependent } = await ownerAndPod(plane, 'owner');
	await target.patch('owner-pod', 'merge', { metadata: { finalizers: ['a/b'] } });
	await plane.client.resource(jobs, 'default').delete('owner', { propagationPolicy: 'Foreground' });
	await plane.until(pods, 'owner-pod', (object) => object?.metadata.deletionTimestamp !== undefined);
	const ownerReferences = dependent.metadata.ownerReferences?.map((one) => ({
		...one,
		blockOwnerDeletion: false,
	}));
	await target.patch('owner-pod', 'merge', { metadata: { ownerReferences } });
	await plane.until(jobs, 'owner', (object) => object === undefined);
});

test('foreground deletion removes Jobs that own each other', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(jobs, 'default');
	const one = await target.create(job('one'));
	const two = await target.create(job('two'));
	const owned = (by: Job): object => ({
		metadata: { ownerReferences: pod('', [by]).metadata.ownerReferences },
	});
	await target.patch('one', 'merge', owned(two));
	await target.patch('two', 'merge', owned(one));
	await target.delete('one', { propagationPolicy: 'Foreground' });
	await plane.until(jobs, 'one', (object) => object === undefined);
	await plane.until(jobs, 'two', (object) => object === undefined);
});

test('an owner in another namespace does not count: the Pod gets a Warning and is deleted', async (t) => {
	const plane = await startControlPlane(t);
	const { client } = plane;
	const spec = { spec: {}, status: {} };
	await client.resource(namespaces).create({
		...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' }, ...spec },
	});
	const owner = await client.resource(jobs, 'other').create(job('owner'));
	const { uid } = owner.metadata;
	const event = await firstEvent(plane);
	await client.resource(pods, 'default').create(pod('astray', [owner]));
	const { type, reason, message, involvedObject, source } = await event.found;
	assert.deepEqual(
		[type, reason, message, involvedObject.name, source?.component],
		[
			'Warning',
			'OwnerRefInvalidNamespace',
			`ownerRef [batch/v1/Job, namespace: default, name: owner, uid: ${uid}] does not exist in namespace "default"`,
			'astray',
			'garbage-collector-controller',
		],
	);
	await plane.until(pods, 'astray', (object) => object === undefined);
	assert.equal((await client.resource(jobs, 'other').get('owner')).metadata.uid, uid);
});

test('the collector deletes a Pod whose owner reference has the right UID and a wrong name', async (t) => {
	const plane = await startControlPlane(t);
	const owner = await plane.client.resource(jobs, 'default').create(job('owner'));
	const misnamed = { ...owner, metadata: { ...owner.metadata, name: 'misnamed' } };
	await plane.client.resource(pods, 'default').create(pod('lost', [misnamed]));
	await plane.until(pods, 'lost', (object) => object === undefined);
});

test('the collector deletes nothing because of an owner that it cannot look up: of an unknown kind, or namespaced with a cluster-scoped dependent', async (t) => {
	const plane = await startControlPlane(t);
	const { client } = plane;
	const foreign = { apiVersion: 'example.com/v1', kind: 'Thing', name: 't', uid: 'u' };
	const ghostly = pod('kept', [ghost]);
	const ownerReferences = [...(ghostly.metadata.ownerReferences ?? []), foreign];
	await client
		.resource(pods, 'default')
		.create({ ...ghostly, metadata: { ...ghostly.metadata, ownerReferences } });
	await client.resource(nodes).create({
		...{ apiVersion: 'v1', kind: 'Node', spec: {}, status: {} },
		metadata: { name: 'node', ownerReferences: pod('', [ghost]).metadata.ownerReferences ?? [] },
	});
	await client.resource(pods, 'default').create(pod('haunted', [ghost]));
	await plane.until(pods, 'haunted', (object) => object === undefined);
	const kept = await client.resource(pods, 'default').get('kept');
	assert.equal(kept.metadata.ownerReferences?.length, 2);
	assert.equal((await client.resource(nodes).get('node')).metadata.deletionTimestamp, undefined);
});

/**
 * A collector with a server and no other controllers. `duringLookup` runs while the collector looks up an
 * owner.
 */
async function startCollector(
	t: test.TestContext,
	duringLookup: (client: Client) => Promise<unknown>,
): Promise<Cluster> {
	const cluster = await Cluster.start(t);
	const stop = new AbortController();
	const { client, clock } = cluster;
	const transport: ApiTransport = {
		request: async (request) => {
			const answer = await client.transport.request(request).catch((error: unknown) => ({ error }));
			if (request.method === 'GET' && request.path.endsWith('/jobs/ghost')) await duringLookup(client);
			if ('error' in answer) throw answer.error;
			return answer;
		},
		watch: (request, sink) => client.transport.watch(request, sink),
		stream: (request) => client.transport.stream(request),
		duplex: (request) => client.transport.duplex(request),
	};
	const onError = (key: string, error: unknown): void => void cluster.errors.push(`${key}: ${error}`);
	const own = new Client(transport);
	const informers = new Informers({ client: own, clock, random: new SeededRandom(1), onError });
	const served: readonly ResourceDefinition[] = [pods, jobs];
	const resources = served.map((definition) => ({ definition, informer: informers.of(definition) }));
	const collector = new GarbageCollector({
		...{ client: own, clock, metrics: new Metrics(), onError, recorder: { event: () => undefined } },
		resources,
	});
	const ended = Promise.all([informers.run(stop.signal), collector.run(stop.signal)]);
	t.after(async () => {
		stop.abort();
		await ended;
		assert.deepEqual(cluster.errors, []);
	});
	return cluster;
}

test('a Pod whose owner reference is removed during the look-up is kept', async (t) => {
	let isLookedUp = false;
	const cluster = await startCollector(t, async (client) => {
		await client.resource(pods, 'default').patch('p', 'merge', { metadata: { ownerReferences: null } });
		isLookedUp = true;
	});
	await cluster.client.resource(pods, 'default').create(pod('p', [ghost]));
	await cluster.until(() => isLookedUp);
	await cluster.quiet();
	assert.equal(cluster.pods().length, 1);
	assert.equal(cluster.pods()[0]?.metadata.deletionTimestamp, undefined);
});

test('a Pod whose labels change during the look-up is deleted all the same', async (t) => {
	const cluster = await startCollector(t, (client) =>
		client.resource(pods, 'default').patch('p', 'merge', { metadata: { labels: { a: 'b' } } }),
	);
	await cluster.client.resource(pods, 'default').create(pod('p', [ghost]));
	await cluster.until(() => cluster.pods().length === 1);
	await cluster.until(() => cluster.pods().length === 0);
});
