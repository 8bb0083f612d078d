import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { events } from '../../src/api/core/event/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import type { Client } from '../../src/client/client.ts';
import type { NodeAgent } from '../../src/node/agent/agent.ts';
import { passTime } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';
import { inPhase, type NodeOptions, pod, startNode, type TestNode } from './test-node.ts';

/** Changes of running Pods: ephemeral containers, and resizes in place. The node has 4 cpus. */

interface Running {
	readonly node: TestNode;
	readonly clock: VirtualClock;
	/** Lets time pass; returns the Pod. */
	pass(seconds: number, name?: string): Promise<Pod>;
	/** Changes the Pod `p` through a subresource. */
	patch(subresource: string, spec: object): Promise<void>;
}

async function startRunning(t: TestContext, options: NodeOptions = {}): Promise<Running> {
	const clock = new VirtualClock();
	const node = await startNode(t, { ...options, clock });
	const target = podsOf(node.plane.client);
	return {
		node,
		clock,
		pass: async (seconds, name = 'p') => {
			await passTime(clock, seconds * 1000);
			return target.get(name);
		},
		patch: async (subresource, spec) => {
			const path = `/api/v1/namespaces/default/pods/p/${subresource}`;
			const contentType = 'application/strategic-merge-patch+json';
			await node.plane.transport.request({ method: 'PATCH', path, query: {}, contentType, body: { spec } });
		},
	};
}

const podsOf = (client: Client) => client.resource(pods, 'default');

function withCpu(name: string, cpu: string): Pod {
	const made = pod(name, ['sleep', 'infinity']);
	const containers = [{ ...made.spec.containers[0], resources: { requests: { cpu } } }];
	return { ...made, spec: { ...made.spec, containers } } as Pod;
}

const resized = (cpu: string) => ({ containers: [{ name: 'main', resources: { requests: { cpu } } }] });

async function reasons({ plane }: TestNode): Promise<readonly string[]> {
	const { items } = await plane.client.resource(events, 'default').list();
	return items.flatMap(({ reason = '' }) => (reason.startsWith('Resize') ? [reason] : []));
}

test('an ephemeral container of kubectl debug starts in the running Pod, and ends with it', async (t) => {
	const { node, clock, pass, patch } = await startRunning(t);
	await podsOf(node.plane.client).create(pod('p', ['sleep', 'infinity']));
	await pass(1);
	await patch('ephemeralcontainers', {
		ephemeralContainers: [
			{ name: 'look', image: 'busybox', command: ['complain'], targetContainerName: 'main' },
			{ name: 'stay', image: 'busybox', command: ['sleep', 'infinity'] },
		],
	});
	const { status } = await pass(1);
	const [look, stay] = status.ephemeralContainerStatuses ?? [];
	assert.equal(look?.state?.terminated?.exitCode, 4);
	assert.deepEqual([stay?.ready, stay?.restartCount], [false, 0]);
	assert.ok(stay?.state?.running);
	assert.equal(findCondition(status.conditions, 'Ready')?.status, 'True');
	assert.deepEqual((await pass(100)).status.ephemeralContainerStatuses?.[0]?.restartCount, 0);
	await podsOf(node.plane.client).delete('p');
	await passTime(clock, 3000);
	assert.equal((await node.runtime.listContainers()).length, 0);
});

test('a resize reaches the runtime, and the container continues', async (t) => {
	const { node, pass, patch } = await startRunning(t);
	await podsOf(node.plane.client).create(withCpu('p', '1'));
	await pass(1);
	await patch('resize', resized('2'));
	const { status, metadata } = await pass(1);
	const [main] = status.containerStatuses ?? [];
	assert.deepEqual([main?.resources, main?.allocatedResources], [{ requests: { cpu: '2' } }, { cpu: '2' }]);
	assert.equal(main?.restartCount, 0);
	assert.deepEqual([status.observedGeneration, metadata.generation], [2, 2]);
	const [container] = await node.runtime.listContainers();
	assert.equal(node.runtime.resourcesOf(container?.id ?? '')?.requests.cpuMillis, 2000);
	assert.deepEqual(await reasons(node), ['ResizeStarted', 'ResizeCompleted']);
});

for (const gracePeriodSeconds of [30, 0]) {
	test(`a deferred resize happens as soon as another Pod is deleted within ${gracePeriodSeconds} s`, async (t) => {
		const { node, pass, patch } = await startRunning(t);
		await podsOf(node.plane.client).create(withCpu('other', '2'));
		await podsOf(node.plane.client).create(withCpu('p', '1'));
		await pass(1);
		await patch('resize', resized('3'));
		const waits = await pass(1);
		assert.equal(
			findCondition(waits.status.conditions, 'PodResizePending')?.message,
			"Node didn't have enough resource: cpu, requested: 3000, used: 2000, capacity: 4000",
		);
		await podsOf(node.plane.client).delete('other', { gracePeriodSeconds });
		const { status } = await pass(3);
		assert.deepEqual(status.containerStatuses?.[0]?.resources, { requests: { cpu: '3' } });
		assert.deepEqual(await reasons(node), ['ResizeDeferred', 'ResizeStarted', 'ResizeCompleted']);
	});
}

test('a deferred resize happens as soon as another Pod has finished', async (t) => {
	const { node, pass, patch } = await startRunning(t);
	const other = withCpu('other', '2');
	const containers = other.spec.containers.map((each) => ({ ...each, command: ['sleep', '5'] }));
	await podsOf(node.plane.client).create({ ...other, spec: { ...other.spec, containers } });
	await podsOf(node.plane.client).create(withCpu('p', '1'));
	await pass(1);
	await patch('resize', resized('3'));
	const { status } = await pass(6);
	assert.deepEqual(status.containerStatuses?.[0]?.resources, { requests: { cpu: '3' } });
});

test('a new agent continues a resize that the runtime has refused', async (t) => {
	let error: string | undefined = 'busy';
	const { node, pass, patch } = await startRunning(t, { resizeError: () => error });
	await podsOf(node.plane.client).create(withCpu('p', '1'));
	await pass(1);
	await patch('resize', resized('2'));
	assert.equal(findCondition((await pass(1)).status.conditions, 'PodResizeInProgress')?.reason, 'Error');
	await node.stopAgent();
	error = undefined;
	await node.startAgent();
	const { status } = await pass(1);
	assert.deepEqual(status.containerStatuses?.[0]?.resources, { requests: { cpu: '2' } });
	assert.deepEqual(await reasons(node), ['ResizeStarted', 'ResizeError', 'ResizeCompleted']);
});

test('a request to a new agent waits until that knows the Pods of the one before', async (t) => {
	const asked: Promise<string>[] = [];
	const made = (agent: NodeAgent): void => {
		const streams = { stdin: false, stdout: true, stderr: true, tty: false };
		const request = { namespace: 'default', pod: 'p', container: 'main', command: ['true'], ...streams };
		asked.push(
			agent.exec(request).then(
				() => 'runs',
				(error: unknown) => String(error),
			),
		);
	};
	const node = await startNode(t, { made });
	assert.match((await asked[0]) ?? '', /pods "p" not found/);
	await podsOf(node.plane.client).create(pod('p', ['sleep', 'infinity']));
	await node.plane.until(pods, 'p', inPhase('Running'));
	await node.stopAgent();
	await node.startAgent();
	assert.equal(await asked[1], 'runs');
});
