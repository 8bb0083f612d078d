import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { events } from '../../src/api/core/event/definition.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod, PodCondition } from '../../src/api/core/pod/schema.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import type { ApiServer } from '../../src/apiserver/server.ts';
import type { ResourceClient } from '../../src/client/client.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { overHttp } from '../support/reach.ts';
import { transportOf } from '../support/transports.ts';

/**
 * The scheduler within the whole control plane, over the direct call, as bytes and over HTTP. All matter: in the
 * process decoded objects share unchanged parts, over the others every event is decoded anew, so a comparison by
 * identity would pass only the first.
 */

/** How a test's Pod differs from one that requests 1 cpu. */
interface PodTraits {
	readonly cpu?: string;
	readonly labels?: Record<string, string>;
	readonly spec?: object;
	readonly ports?: readonly object[];
}

const HIGH = { priorityClassName: 'system-cluster-critical' };

function pod(name: string, { cpu = '1', labels = {}, spec = {}, ports = [] }: PodTraits = {}): Pod {
	const main = { name: 'main', image: 'busybox', resources: { requests: { cpu } }, ports };
	const shape = {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name, labels },
		spec: { containers: [main], ...spec },
	};
	return shape as unknown as Pod;
}

function scheduled(object: Pod | undefined): PodCondition | undefined {
	return findCondition(object?.status.conditions, 'PodScheduled');
}

/** The number of changes, none of which may cause another scheduling attempt. */
const MANY = 12;

const isBound = (object: Pod | undefined): boolean => object?.spec.nodeName !== undefined;
const isRefused = (object: Pod | undefined): boolean => scheduled(object)?.status === 'False';

/** A control plane with helpers for its Pods. */
class World {
	readonly plane: ControlPlane;
	readonly pods: ResourceClient<Pod>;
	#markers = 0;

	constructor(plane: ControlPlane) {
		this.plane = plane;
		this.pods = plane.client.resource(pods, 'default');
	}

	async bound(name: string): Promise<Pod> {
		return this.#until(name, isBound);
	}

	/** Resolves to the message of PodScheduled once that is False. */
	async refused(name: string): Promise<string> {
		return scheduled(await this.#until(name, isRefused))?.message ?? '';
	}

	async gone(name: string): Promise<void> {
		await this.plane.until(pods, name, (object) => object === undefined);
	}

	async finish(name: string): Promise<void> {
		await this.pods.patchStatus(name, 'merge', { status: { phase: 'Succeeded' } });
	}

	/** The number of scheduling attempts with the result unschedulable. */
	async attempts(): Promise<number> {
		const text = await this.plane.metrics.text();
		const [, count = '0'] =
			/^scheduler_schedule_attempts_total\{result="unschedulable".*\} (\d+)$/m.exec(text) ?? [];
		return Number(count);
	}

	/** Resolves once the scheduler has received all earlier changes of Pods: it has bound a later one. */
	async pass(): Promise<void> {
		this.#markers += 1;
		await this.pods.create(pod(`marker-${this.#markers}`, { cpu: '0' }));
		await this.bound(`marker-${this.#markers}`);
	}

	/** Asserts that there were few attempts since `before`; those in flight at that time may still count. */
	async assertFewAttemptsSince(before: number): Promise<void> {
		const attempts = (await this.attempts()) - before;
		assert.ok(attempts < MANY / 2, `${attempts} attempts`);
	}

	async #until(name: string, holds: (object: Pod | undefined) => boolean): Promise<Pod> {
		const found = await this.plane.until(pods, name, holds);
		assert.ok(found);
		return found;
	}
}

type Reach = (api: ApiServer) => Promise<ApiTransport>;

const TRANSPORTS: Readonly<Record<string, (t: TestContext) => Reach>> = {
	'in the process': () => async (api) => api,
	'over bytes': () => async (api) => transportOf('encoded', api),
	'over HTTP': overHttp,
};

for (const [transport, reach] of Object.entries(TRANSPORTS)) {
	describe(`the scheduler ${transport}`, () => {
		const start = async (t: TestContext): Promise<World> =>
			new World(await startControlPlane(t, undefined, { reach: reach(t) }));

		test('a Pod without a node is unschedulable, and is bound once a node is added', async (t) => {
			const world = await start(t);
			await world.pods.create(pod('early'));
			assert.equal(await world.refused('early'), 'no nodes available to schedule pods');
			const waiting = scheduled(await world.pods.get('early'));
			assert.deepEqual([waiting?.reason, waiting?.observedGeneration], ['Unschedulable', 1]);
			await world.plane.addNode('here', 2);
			const bound = await world.bound('early');
			assert.equal(bound.spec.nodeName, 'here');
			assert.equal(scheduled(bound)?.status, 'True');
		});

		test('the scheduler never overcommits a node, and uses the room of ended Pods', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 2);
			for (const name of ['one', 'two']) await world.pods.create(pod(name));
			await Promise.all(['one', 'two'].map((name) => world.bound(name)));
			await world.pods.create(pod('three'));
			assert.equal(
				await world.refused('three'),
				'0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
			);
			await world.finish('one');
			await world.bound('three');
		});

		test('the scheduler binds no Pod to a cordoned node until it is uncordoned', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 2);
			const target = world.plane.client.resource(nodes);
			await target.patch('here', 'merge', { spec: { unschedulable: true } });
			await world.pods.create(pod('patient'));
			assert.match(await world.refused('patient'), /: 1 node\(s\) were unschedulable\. /);
			await target.patch('here', 'merge', { spec: { unschedulable: null } });
			await world.bound('patient');
		});

		test('heartbeats and status writes cause no scheduling attempts', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 1);
			await world.pods.create(pod('large', { cpu: '2' }));
			await world.refused('large');
			const before = await world.attempts();
			for (let second = 10; second < 10 + MANY; second++) {
				const lastHeartbeatTime = `2026-01-01T00:00:${second}Z`;
				const ready = { type: 'Ready', status: 'True', lastHeartbeatTime };
				const heartbeat = { status: { conditions: [ready] } };
				await world.plane.client.resource(nodes).patchStatus('here', 'strategic', heartbeat);
				await world.pods.patchStatus('large', 'merge', { status: { message: `${second}` } });
				await world.pods.patch('large', 'merge', { metadata: { annotations: { a: `${second}` } } });
				await world.pass();
			}
			await world.assertFewAttemptsSince(before);
		});

		test('a Pod with anti-affinity waits until the node of the other is free', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 4);
			const term = { labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'kubernetes.io/hostname' };
			const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
			const target = world.plane.client.resource(nodes);
			await target.patch('here', 'merge', { metadata: { labels: { 'kubernetes.io/hostname': 'here' } } });
			await world.pods.create(pod('one', { labels: { app: 'x' }, spec: { affinity } }));
			await world.bound('one');
			await world.pods.create(pod('two', { labels: { app: 'x' }, spec: { affinity } }));
			assert.match(await world.refused('two'), /: 1 node\(s\) didn't match pod anti-affinity rules\. /);
			await world.finish('one');
			await world.bound('two');
		});

		test('two Pods with the same host port are not bound to one node', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 4);
			const ports = [{ containerPort: 80, hostPort: 8080 }];
			for (const name of ['one', 'two']) await world.pods.create(pod(name, { ports }));
			await world.bound('one');
			assert.match(
				await world.refused('two'),
				/: 1 node\(s\) didn't have free ports for the requested pod ports\. /,
			);
			await world.finish('one');
			await world.bound('two');
		});

		test('a changed label of a namespace makes its Pods match a namespaceSelector', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 4);
			const target = world.plane.client.resource(nodes);
			await target.patch('here', 'merge', { metadata: { labels: { zone: 'a' } } });
			await world.plane.client.resource(pods, 'kube-public').create(pod('anchor'));
			const term = {
				labelSelector: {},
				topologyKey: 'zone',
				namespaceSelector: { matchLabels: { team: 'red' } },
			};
			const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
			await world.pods.create(pod('follower', { spec: { affinity } }));
			assert.match(await world.refused('follower'), /didn't match pod affinity rules/);
			const before = await world.attempts();
			const spaces = world.plane.client.resource(namespaces);
			for (let i = 0; i < MANY; i++) {
				await spaces.patch('kube-public', 'merge', { metadata: { annotations: { a: `${i}` } } });
				// The marker must stay unbound: a bound Pod would rightly cause an attempt of the follower.
				await world.pods.create(pod(`hopeless-${i}`, { spec: { nodeSelector: { no: `${i}` } } }));
				await world.refused(`hopeless-${i}`);
			}
			await world.assertFewAttemptsSince(before + MANY);
			const labels = { team: 'red' };
			await world.plane.client.resource(namespaces).patch('kube-public', 'merge', { metadata: { labels } });
			await world.bound('follower');
		});

		test('the scheduler skips a Pod until its scheduling gates are removed', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 2);
			await world.pods.create(pod('gated', { spec: { schedulingGates: [{ name: 'example.com/hold' }] } }));
			await world.pods.create(pod('marker'));
			await world.bound('marker');
			assert.equal(scheduled(await world.pods.get('gated'))?.reason, 'SchedulingGated');
			await world.pods.patch('gated', 'merge', { spec: { schedulingGates: null } });
			await world.bound('gated');
		});

		test('the scheduler binds the pending Pod of the highest priority first', async (t) => {
			const world = await start(t);
			// Both at once: on a busy machine the backoff of one could otherwise have passed when the other's begins.
			await Promise.all([world.pods.create(pod('low')), world.pods.create(pod('high', { spec: HIGH }))]);
			for (const name of ['low', 'high']) await world.refused(name);
			// The node must find both Pods in the queue: an attempt ends a moment after its status is written.
			while ((await world.attempts()) < 2) await new Promise(setImmediate);
			await world.plane.addNode('here', 1);
			await world.bound('high');
			assert.match(await world.refused('low'), /no nodes|Insufficient cpu/);
			assert.equal(isBound(await world.pods.get('low')), false);
		});

		test('preemption deletes the fewest Pods of lower priority, with a condition and an event', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 2);
			const finalizers = ['example.com/look'];
			for (const name of ['small', 'large']) {
				const object = pod(name, { cpu: name === 'small' ? '500m' : '1500m' });
				await world.pods.create({ ...object, metadata: { ...object.metadata, finalizers } });
				await world.bound(name);
			}
			const high = await world.pods.create(pod('high', { cpu: '1500m', spec: HIGH }));
			const victim = await world.plane.until(pods, 'large', (object) =>
				Boolean(object?.metadata.deletionTimestamp),
			);
			const condition = findCondition(victim?.status.conditions, 'DisruptionTarget');
			assert.deepEqual(
				[condition?.status, condition?.reason, condition?.message],
				[
					'True',
					'PreemptionByScheduler',
					'default-scheduler: preempting to accommodate a higher priority pod',
				],
			);
			const waiting = await world.plane.until(pods, 'high', (object) =>
				Boolean(object?.status.nominatedNodeName),
			);
			assert.equal(waiting?.status.nominatedNodeName, 'here');
			assert.equal(scheduled(waiting)?.message, '0/1 nodes are available: 1 Insufficient cpu.');
			await world.pods.patch('large', 'merge', { metadata: { finalizers: null } });
			await world.pods.delete('large', { gracePeriodSeconds: 0 });
			const bound = await world.bound('high');
			assert.equal(bound.status.nominatedNodeName, undefined);
			assert.equal((await world.pods.get('small')).metadata.deletionTimestamp, undefined);
			const { items } = await world.plane.client.resource(events, 'default').list();
			const event = items.find(({ reason }) => reason === 'Preempted');
			assert.equal(event?.message, `Preempted by pod ${high.metadata.uid} on node here`);
			assert.equal(event?.involvedObject.name, 'large');
		});

		test('a nominated Pod loses its nomination to one of higher priority', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 2);
			const low = pod('low', { cpu: '2' });
			await world.pods.create({ ...low, metadata: { ...low.metadata, finalizers: ['example.com/look'] } });
			await world.bound('low');
			const nominated = (name: string, is: boolean) =>
				world.plane.until(pods, name, (object) => Boolean(object?.status.nominatedNodeName) === is);
			await world.pods.create(pod('high', { cpu: '2', spec: HIGH }));
			await nominated('high', true);
			await world.pods.create(
				pod('highest', { cpu: '2', spec: { priorityClassName: 'system-node-critical' } }),
			);
			await nominated('highest', true);
			await nominated('high', false);
			await world.pods.patch('low', 'merge', { metadata: { finalizers: null } });
			await world.pods.delete('low', { gracePeriodSeconds: 0 });
			await world.bound('highest');
			assert.equal(isBound(await world.pods.get('high')), false);
		});

		test('the room of a nominated Pod is not given to Pods of lower priority', async (t) => {
			const world = await start(t);
			await world.plane.addNode('here', 2);
			const low = pod('low', { cpu: '2' });
			await world.pods.create({ ...low, metadata: { ...low.metadata, finalizers: ['example.com/look'] } });
			await world.bound('low');
			await world.pods.create(pod('high', { cpu: '2', spec: HIGH }));
			await world.plane.until(pods, 'high', (object) => Boolean(object?.status.nominatedNodeName));
			await world.pods.create(pod('sneaky', { cpu: '1' }));
			await world.refused('sneaky');
			await world.pods.patch('low', 'merge', { metadata: { finalizers: null } });
			await world.pods.delete('low', { gracePeriodSeconds: 0 });
			await world.bound('high');
			assert.equal(isBound(await world.pods.get('sneaky')), false);
		});
	});
}
