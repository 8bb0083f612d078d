import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { deployments } from '../../src/api/apps/deployment/definition.ts';
import type { Deployment } from '../../src/api/apps/deployment/schema.ts';
import { replicaSets } from '../../src/api/apps/replicaset/definition.ts';
import type { ReplicaSet } from '../../src/api/apps/replicaset/schema.ts';
import type { ResourceDefinition } from '../../src/api/contract/resource-definition.ts';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { events } from '../../src/api/core/event/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { replicationControllers } from '../../src/api/core/replicationcontroller/definition.ts';
import type { ReplicationController } from '../../src/api/core/replicationcontroller/schema.ts';
import { serviceAccounts } from '../../src/api/core/serviceaccount/definition.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { controllerOf } from '../../src/api/meta/controller-reference.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { podDisruptionBudgets } from '../../src/api/policy/poddisruptionbudget/definition.ts';
import type { PodDisruptionBudget } from '../../src/api/policy/poddisruptionbudget/schema.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import type { ResourceClient } from '../../src/client/client.ts';
import { newReplicaSet } from '../../src/plan/deployment/replica-sets.ts';
import {
	type ControlPlane,
	type ControlPlaneSetup,
	passTime,
	startControlPlane,
} from '../support/control-plane.ts';
import { runFakeNode } from '../support/fake-node.ts';
import { test, transportFor } from '../support/transports.ts';

/**
 * Deployments, ReplicaSets and ReplicationControllers end to end, in virtual time: the API server, all controllers, the
 * scheduler, and a node agent with the fake runtime.
 */

const LABELS = { app: 'web' };

class Cluster {
	readonly plane: ControlPlane;
	readonly #clock: VirtualClock;

	constructor(plane: ControlPlane, clock: VirtualClock) {
		this.plane = plane;
		this.#clock = clock;
	}

	static async start(
		t: TestContext,
		setup: ControlPlaneSetup = {},
		clock = new VirtualClock(),
	): Promise<Cluster> {
		const plane = await startControlPlane(t, clock, setup);
		await runFakeNode(t, plane, clock);
		const cluster = new Cluster(plane, clock);
		await cluster.pass(5);
		return cluster;
	}

	pass(seconds: number): Promise<void> {
		return passTime(this.#clock, seconds * 1000);
	}

	of<T extends KubeObject>(definition: ResourceDefinition<T>): ResourceClient<T> {
		return this.plane.client.resource(definition, 'default');
	}

	/** Creates an object from a manifest, which the server decodes and defaults, and lets its effects happen. */
	async create<T extends KubeObject>(definition: ResourceDefinition<T>, manifest: object): Promise<T> {
		const created = await this.of(definition).create(manifest as unknown as T);
		await this.pass(10);
		return created;
	}

	/** The names of the Pods that are not being deleted, sorted. */
	async podNames(image?: string): Promise<readonly string[]> {
		const { items } = await this.of(pods).list();
		return items
			.filter(({ metadata, spec }) => {
				const isImage = image === undefined || spec.containers[0]?.image === image;
				return metadata.deletionTimestamp === undefined && isImage;
			})
			.map(({ metadata }) => metadata.name ?? '')
			.sort();
	}

	/** The messages of all Events with this reason about objects of this kind. */
	async messages(kind: string, reason: string): Promise<readonly string[]> {
		const { items } = await this.of(events).list();
		return items
			.filter((event) => event.involvedObject.kind === kind && event.reason === reason)
			.map(({ message = '' }) => message);
	}
}

function template(image = '1', spec: object = {}): object {
	const containers = [{ name: 'main', image, command: ['sleep', 'infinity'] }];
	return { metadata: { labels: LABELS }, spec: { terminationGracePeriodSeconds: 1, containers, ...spec } };
}

function manifest(name: string, spec: object, metadata: object = {}): object {
	return {
		metadata: { name, ...metadata },
		spec: { selector: { matchLabels: LABELS }, template: template(), ...spec },
	};
}

test('a Deployment rolls out, rolls back, scales, and its deletion removes all of its objects', async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.create(deployments, manifest('web', { replicas: 3 }));
	const target = cluster.of(deployments);
	const first = await cluster.podNames();
	assert.equal(first.length, 3);
	const { status, metadata } = await target.get('web');
	assert.deepEqual([status.availableReplicas, status.updatedReplicas, status.observedGeneration], [3, 3, 1]);
	assert.equal(findCondition(status.conditions, 'Progressing')?.reason, 'NewReplicaSetAvailable');
	assert.equal(metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
	const [set] = (await cluster.of(replicaSets).list()).items;
	assert.deepEqual(await cluster.messages('Deployment', 'ScalingReplicaSet'), [
		`Scaled up replica set ${set?.metadata.name} from 0 to 3`,
	]);
	assert.deepEqual(
		(await cluster.messages('ReplicaSet', 'SuccessfulCreate')).toSorted(),
		first.map((name) => `Created pod: ${name}`),
	);

	await target.patch('web', 'merge', { spec: { template: template('2') } });
	await cluster.pass(60);
	assert.deepEqual([(await cluster.podNames('1')).length, (await cluster.podNames('2')).length], [0, 3]);
	await target.patch('web', 'merge', { spec: { template: template('1') } });
	await cluster.pass(60);
	assert.equal((await cluster.podNames('1')).length, 3);
	const back = await target.get('web');
	assert.equal(back.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
	assert.equal((await cluster.of(replicaSets).list()).items.length, 2);

	await target.patch('web', 'merge', { spec: { replicas: 0 } });
	await cluster.pass(30);
	assert.deepEqual(await cluster.podNames(), []);
	await target.patch('web', 'merge', { spec: { replicas: 2 } });
	await cluster.pass(30);
	assert.equal((await cluster.podNames()).length, 2);
	await target.delete('web', { propagationPolicy: 'Foreground' });
	await cluster.pass(30);
	for (const definition of [deployments, replicaSets, pods])
		assert.deepEqual((await cluster.of<KubeObject>(definition).list()).items, [], definition.resource);
});

test('a ReplicaSet adopts matching Pods, releases those that no longer match, and replaces lost ones', async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.create(pods, {
		metadata: { name: 'free', labels: LABELS },
		spec: { containers: [{ name: 'c', image: 'i', command: ['sleep', 'infinity'] }] },
	});
	const set = await cluster.create(replicaSets, manifest('web', { replicas: 2 }));
	const target = cluster.of(pods);
	assert.equal(controllerOf(await target.get('free'))?.uid, set.metadata.uid);
	assert.equal((await cluster.podNames()).length, 2);
	await target.patch('free', 'merge', { metadata: { labels: { app: 'other' } } });
	await cluster.pass(10);
	assert.equal(controllerOf(await target.get('free')), undefined);
	assert.equal((await cluster.podNames()).length, 3);
	const [lost = ''] = (await cluster.podNames()).filter((name) => name !== 'free');
	await target.delete(lost);
	await cluster.pass(10);
	const left = await cluster.podNames();
	assert.ok(left.length === 3 && !left.includes(lost));
	const { status } = await cluster.of(replicaSets).get('web');
	assert.deepEqual(status, {
		...{ replicas: 2, fullyLabeledReplicas: 2, readyReplicas: 2, availableReplicas: 2 },
		...{ terminatingReplicas: 0, observedGeneration: 1 },
	});
});

test('a ReplicationController keeps its Pods, is scaled, and leaves them by default when it is deleted', async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.create(replicationControllers, {
		metadata: { name: 'old' },
		spec: { replicas: 3, template: template() },
	});
	assert.equal((await cluster.podNames()).length, 3);
	const path = '/api/v1/namespaces/default/replicationcontrollers/old/scale';
	const contentType = 'application/merge-patch+json';
	const body = { spec: { replicas: 1 } };
	await cluster.plane.client.transport.request({ method: 'PATCH', path, contentType, body });
	await cluster.pass(10);
	assert.equal((await cluster.podNames()).length, 1);
	const { status } = await cluster.of(replicationControllers).get('old');
	assert.deepEqual(status, {
		...{
			replicas: 1,
			fullyLabeledReplicas: 1,
			readyReplicas: 1,
			availableReplicas: 1,
			observedGeneration: 2,
		},
	});
	assert.equal((await cluster.messages('ReplicationController', 'SuccessfulDelete')).length, 2);
	await cluster.of<ReplicationController>(replicationControllers).delete('old');
	await cluster.pass(10);
	const [pod] = (await cluster.of(pods).list()).items;
	assert.ok(pod && controllerOf(pod) === undefined);
});

test('a failure to create Pods is a condition of the ReplicaSet and its Deployment until they can be created', async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.create(
		deployments,
		manifest('web', { template: template('1', { serviceAccountName: 'late' }) }),
	);
	const [set] = (await cluster.of(replicaSets).list()).items;
	const failure = findCondition(set?.status.conditions, 'ReplicaFailure');
	assert.equal(failure?.reason, 'FailedCreate');
	assert.match(failure.message ?? '', /serviceaccount "late" not found$/);
	const conditionOf = async (type: string): Promise<string | undefined> =>
		findCondition((await cluster.of(deployments).get('web')).status.conditions, type)?.status;
	assert.equal(await conditionOf('ReplicaFailure'), 'True');
	assert.match(
		(await cluster.messages('ReplicaSet', 'FailedCreate'))[0] ?? '',
		/^Error creating: pods "web-.*" is forbidden/,
	);
	await cluster.create(serviceAccounts, { metadata: { name: 'late' } });
	await cluster.pass(120);
	assert.deepEqual(
		[await conditionOf('ReplicaFailure'), await conditionOf('Available')],
		[undefined, 'True'],
	);
});

test('a taken name of a ReplicaSet is avoided with another hash', async (t) => {
	const cluster = await Cluster.start(t);
	const paused = await cluster.create(deployments, manifest('web', { paused: true }));
	const { name } = newReplicaSet(paused).metadata;
	await cluster.create(replicaSets, {
		metadata: { name },
		spec: {
			replicas: 0,
			selector: { matchLabels: { app: 'x' } },
			template: { ...template(), metadata: { labels: { app: 'x' } } },
		},
	});
	await cluster.of(deployments).patch('web', 'merge', { spec: { paused: false } });
	await cluster.pass(30);
	const { status } = await cluster.of<Deployment>(deployments).get('web');
	assert.deepEqual([status.collisionCount, status.availableReplicas], [1, 1]);
	const names = (await cluster.of(replicaSets).list()).items.map(({ metadata }) => metadata.name);
	assert.equal(new Set(names).size, 2);
});

test('a Pod is not created twice if the response to its creation is lost', async (t) => {
	const clock = new VirtualClock();
	let lost = 0;
	/** Loses the answers to the first two creations of Pods, and shows Pods to informers a second late. */
	const losing = (transport: ApiTransport): ApiTransport => ({
		request: async (request) => {
			const answer = await transport.request(request);
			const isCreation = request.method === 'POST' && request.path.endsWith('/pods');
			if (!isCreation || lost === 2) return answer;
			lost += 1;
			throw new Error('the connection was lost');
		},
		watch: (request, sink) =>
			transport.watch(request, {
				ended: (error) => sink.ended(error),
				events: (batch) => {
					if (request.path !== '/api/v1/pods') sink.events(batch);
					else clock.setTimer(1000, () => sink.events(batch));
				},
			}),
		stream: (request) => transport.stream(request),
		duplex: (request) => transport.duplex(request),
	});
	const cluster = await Cluster.start(t, { reach: async (api) => losing(transportFor(t, api)) }, clock);
	await cluster.create(replicaSets, manifest('web', { replicas: 3 }));
	await cluster.pass(30);
	assert.equal(lost, 2);
	assert.equal((await cluster.of<Pod>(pods).list()).items.length, 3);
	assert.deepEqual(await cluster.messages('ReplicaSet', 'SuccessfulDelete'), []);
	const { status } = await cluster.of<ReplicaSet>(replicaSets).get('web');
	assert.deepEqual([status.replicas, status.conditions], [3, undefined]);
});

test('a budget counts the replicas of the Deployment, also during a rollout', async (t) => {
	const cluster = await Cluster.start(t);
	await cluster.create(deployments, manifest('web', { replicas: 4 }));
	await cluster.create(podDisruptionBudgets, {
		metadata: { name: 'b' },
		spec: { selector: { matchLabels: LABELS }, maxUnavailable: '50%' },
	});
	const { status } = await cluster.of<PodDisruptionBudget>(podDisruptionBudgets).get('b');
	assert.deepEqual(
		[status.expectedPods, status.desiredHealthy, status.currentHealthy, status.disruptionsAllowed],
		[4, 2, 4, 2],
	);
});
