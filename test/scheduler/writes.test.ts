import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { ApiRequest } from '../../src/api/contract/transport.ts';
import { nodes } from '../../src/api/core/node/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { forbidden } from '../../src/api/errors/api-error.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { ServerUnreachableError } from '../../src/client/transport/server-unreachable.ts';
import { type ControlPlane, passTime, startControlPlane } from '../support/control-plane.ts';
import { type Interception, intercepted } from '../support/reach.ts';

/** What the scheduler writes, how it retries, and how it handles refused writes and lost answers. */

function pod(name: string, cpu: string, spec: object = {}): Pod {
	const containers = [{ name: 'main', image: 'busybox', resources: { requests: { cpu } } }];
	const shape = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...spec } };
	return shape as unknown as Pod;
}

async function start(
	t: TestContext,
	interception: Interception,
): Promise<ControlPlane & { readonly clock: VirtualClock }> {
	const clock = new VirtualClock();
	const reach = async (api: Parameters<typeof intercepted>[0]) => intercepted(api, interception);
	return { ...(await startControlPlane(t, clock, { reach })), clock };
}

const isBindingOf = ({ path }: ApiRequest, name: string): boolean => path.endsWith(`/pods/${name}/binding`);

async function nodeOf(plane: ControlPlane, name: string): Promise<string | undefined> {
	return (await plane.client.resource(pods, 'default').get(name)).spec.nodeName;
}

test('the scheduler frees the resources of a refused binding for other Pods', async (t) => {
	const plane = await start(t, {
		request: (request, send) => {
			if (!isBindingOf(request, 'unlucky')) return send();
			throw forbidden({ group: '', resource: 'pods/binding', name: 'unlucky' }, 'not today');
		},
	});
	await plane.addNode('here', 2);
	await plane.client.resource(pods, 'default').create(pod('unlucky', '2'));
	await passTime(plane.clock, 100);
	await plane.client.resource(pods, 'default').create(pod('lucky', '2'));
	await passTime(plane.clock, 100);
	assert.equal(await nodeOf(plane, 'lucky'), 'here');
	assert.equal(await nodeOf(plane, 'unlucky'), undefined);
});

test('a binding whose answer is lost counts before the watch delivers it', async (t) => {
	let isLost = false;
	// The watch withholds the bound Pod, so only the scheduler's own record of the binding can keep `two` off
	// the node.
	const held: (() => void)[] = [];
	const plane = await start(t, {
		request: async (request, send) => {
			const isFirst = !isLost && isBindingOf(request, 'one');
			isLost ||= isFirst;
			const answer = await send();
			if (isFirst) throw new ServerUnreachableError('test', new Error('socket hang up'));
			return answer;
		},
		watch: ({ path }, sink) => ({
			...sink,
			ended: (error) => sink.ended(error),
			events: (batch) => {
				const isShown = batch.some(({ object }) => object.metadata.name === 'one');
				if (path.endsWith('/pods') && isLost && isShown) held.push(() => sink.events(batch));
				else sink.events(batch);
			},
		}),
	});
	await plane.addNode('here', 2);
	await plane.client.resource(pods, 'default').create(pod('one', '2'));
	await passTime(plane.clock, 100);
	await plane.client.resource(pods, 'default').create(pod('two', '2'));
	await passTime(plane.clock, 100);
	assert.equal(await nodeOf(plane, 'one'), 'here');
	assert.equal(await nodeOf(plane, 'two'), undefined, 'the node has room for one of the two Pods');
	for (const send of held.splice(0)) send();
	await passTime(plane.clock, 30_000);
	assert.equal(await nodeOf(plane, 'two'), undefined);
});

test('after a failed binding the scheduler retries the Pod with a backoff from one to ten seconds', async (t) => {
	const attempts: number[] = [];
	const plane: { clock?: VirtualClock } & Partial<ControlPlane> = {};
	const started = await start(t, {
		request: async (request, send) => {
			if (!isBindingOf(request, 'one')) return send();
			attempts.push(plane.clock?.now() ?? 0);
			if (attempts.length > 6) return send();
			throw new ServerUnreachableError('test', new Error('connection refused'));
		},
	});
	plane.clock = started.clock;
	await started.addNode('here', 2);
	await started.client.resource(pods, 'default').create(pod('one', '2'));
	await passTime(started.clock, 60_000);
	const waits = attempts.slice(1).map((at, index) => (at - (attempts[index] ?? 0)) / 1000);
	assert.deepEqual(waits, [1, 2, 4, 8, 10, 10]);
	assert.equal(await nodeOf(started, 'one'), 'here');
});

test('every write of the scheduler to a Pod has the UID of the Pod', async (t) => {
	// Between a decision and its write another Pod may have taken the name: the UID makes the server refuse the
	// write.
	const writes: ApiRequest[] = [];
	const plane = await start(t, {
		request: (request, send) => {
			if (request.method !== 'GET' && request.path.includes('/pods/')) writes.push(request);
			return send();
		},
	});
	const target = plane.client.resource(pods, 'default');
	const low = await target.create(pod('low', '2'));
	await passTime(plane.clock, 100);
	await plane.addNode('here', 2);
	await passTime(plane.clock, 100);
	const high = await target.create(pod('high', '2', { priorityClassName: 'system-cluster-critical' }));
	await passTime(plane.clock, 100);
	assert.equal(
		await nodeOf(plane, 'high'),
		undefined,
		'no node agent runs the victim, so it does not end by itself',
	);
	await target.delete('low', { gracePeriodSeconds: 0 });
	await passTime(plane.clock, 2000);
	assert.equal(await nodeOf(plane, 'high'), 'here');
	const uids = writes.map(({ method, path, body }) => {
		const { metadata, preconditions } = body as {
			readonly metadata?: { readonly uid?: string };
			readonly preconditions?: { readonly uid?: string };
		};
		const [, name] = /\/pods\/([^/]+)/.exec(path) ?? [];
		return `${method} ${name} ${preconditions?.uid ?? metadata?.uid}`;
	});
	const { uid: lowUid } = low.metadata;
	const { uid: highUid } = high.metadata;
	assert.deepEqual(uids, [
		`PATCH low ${lowUid}`,
		`POST low ${lowUid}`,
		`PATCH high ${highUid}`,
		`PATCH low ${lowUid}`,
		`DELETE low ${lowUid}`,
		`POST high ${highUid}`,
	]);
});

test('the scheduler writes no condition to a new Pod with the name of a deleted unschedulable one', async (t) => {
	const target = { replace: async (): Promise<void> => undefined };
	const plane = await start(t, {
		request: async (request, send) => {
			if (request.method === 'PATCH' && request.path.endsWith('/pods/twin/status')) await target.replace();
			return send();
		},
	});
	const client = plane.client.resource(pods, 'default');
	target.replace = async () => {
		target.replace = async () => undefined;
		await client.delete('twin');
		await client.create(pod('twin', '1', { schedulingGates: [{ name: 'example.com/wait' }] }));
	};
	await client.create(pod('twin', '1'));
	await passTime(plane.clock, 1000);
	const [condition, ...others] = (await client.get('twin')).status.conditions ?? [];
	assert.deepEqual(others, []);
	assert.equal(condition?.reason, 'SchedulingGated');
});

test('the scheduler preempts no Pod for one that is deleted meanwhile', async (t) => {
	const target = { remove: async (): Promise<void> => undefined };
	const plane = await start(t, {
		request: async (request, send) => {
			if (request.method === 'PATCH' && request.path.endsWith('/pods/high/status')) await target.remove();
			return send();
		},
	});
	const client = plane.client.resource(pods, 'default');
	await plane.addNode('here', 2);
	await client.create(pod('low', '2'));
	await passTime(plane.clock, 100);
	target.remove = async () => void (await client.delete('high'));
	await client.create(pod('high', '2', { priorityClassName: 'system-node-critical' }));
	await passTime(plane.clock, 1000);
	assert.equal((await client.get('low')).metadata.deletionTimestamp, undefined);
});

test('the scheduler reserves nothing for a Pod that is deleted while its binding is verified', async (t) => {
	const target = { isBindingLost: true, remove: async (): Promise<void> => undefined };
	const plane = await start(t, {
		request: async (request, send) => {
			if (isBindingOf(request, 'high') && target.isBindingLost) {
				target.isBindingLost = false;
				throw new ServerUnreachableError('test', new Error('connection refused'));
			}
			const answer = await send();
			if (request.method === 'GET' && request.path.endsWith('/pods/high')) await target.remove();
			return answer;
		},
	});
	const client = plane.client.resource(pods, 'default');
	await plane.addNode('here', 2);
	await client.create(pod('high', '2', { priorityClassName: 'system-node-critical' }));
	await passTime(plane.clock, 100);
	assert.equal(target.isBindingLost, false);
	await client.create(pod('low', '2', { nodeName: 'here' }));
	let isRemoved = false;
	target.remove = async () => {
		await client.delete('high', { gracePeriodSeconds: 0 });
		isRemoved = true;
	};
	await passTime(plane.clock, 2000);
	assert.ok(isRemoved, 'the scheduler reads the Pod');
	await client.delete('low', { gracePeriodSeconds: 0 });
	await client.create(pod('next', '2'));
	await passTime(plane.clock, 30_000);
	assert.equal(await nodeOf(plane, 'next'), 'here');
});

test('the scheduler does not write an unchanged condition again', async (t) => {
	let patches = 0;
	const plane = await start(t, {
		request: (request, send) => {
			if (request.method === 'PATCH' && request.path.endsWith('/pods/large/status')) patches += 1;
			return send();
		},
	});
	await plane.addNode('here', 1);
	await plane.client.resource(pods, 'default').create(pod('large', '2'));
	await passTime(plane.clock, 100);
	const target = plane.client.resource(nodes);
	for (const memory of ['9Gi', '10Gi', '11Gi']) {
		await target.patchStatus('here', 'merge', { status: { allocatable: { memory } } });
		await passTime(plane.clock, 100);
	}
	assert.equal(patches, 1);
	const text = await plane.metrics.text();
	assert.match(text, /scheduler_schedule_attempts_total\{result="unschedulable",[^}]*\} 4/);
});

test('the metrics show scheduling attempts and pending Pods', async (t) => {
	const plane = await start(t, { request: (_request, send) => send() });
	const { clock } = plane;
	const samples = async (name: string): Promise<readonly string[]> =>
		(await plane.metrics.text())
			.split('\n')
			.filter((line) => line.startsWith(`${name}{`))
			.map((line) => line.slice(name.length).replaceAll('"', ''));
	const pending = async (): Promise<string> => (await samples('scheduler_pending_pods')).join();
	for (const name of ['one', 'two']) await plane.client.resource(pods, 'default').create(pod(name, '1'));
	await plane.client
		.resource(pods, 'default')
		.create(pod('gated', '1', { schedulingGates: [{ name: 'example.com/wait' }] }));
	await passTime(clock, 1000);
	assert.equal(await pending(), '{queue=active} 0,{queue=backoff} 0,{queue=unschedulable} 2,{queue=gated} 1');
	await plane.addNode('here', 1);
	await passTime(clock, 1000);
	assert.equal(await pending(), '{queue=active} 0,{queue=backoff} 0,{queue=unschedulable} 1,{queue=gated} 1');
	assert.deepEqual(await samples('scheduler_schedule_attempts_total'), [
		'{result=unschedulable,profile=default-scheduler} 3',
		'{result=scheduled,profile=default-scheduler} 1',
	]);
	assert.deepEqual(await samples('scheduler_scheduling_attempt_duration_seconds_count'), [
		'{result=unschedulable,profile=default-scheduler} 3',
		'{result=scheduled,profile=default-scheduler} 1',
	]);
});
