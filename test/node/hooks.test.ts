import assert from 'node:assert/strict';
import { events } from '../../src/api/core/event/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { sleep } from '../../src/base/clock.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { passTime } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';
import { pod, startNode, type TestNode } from './test-node.ts';

/** Lifecycle hooks and the order of stops in virtual time. */

/** A Pod `p` with these containers, each of which runs until it is stopped. */
function podOf(containers: readonly object[], spec: object = {}): Pod {
	const made = pod('p', ['sleep', 'infinity']);
	const full = containers.map((each) => ({ ...made.spec.containers[0], ...each }));
	return { ...made, spec: { ...made.spec, containers: full, ...spec } } as Pod;
}

const pause = (seconds: number) => ({ sleep: { seconds } });
const run = (...command: readonly string[]) => ({ exec: { command } });

/** The messages of the Events about the Pod with these reasons, oldest first. */
async function messages({ plane }: TestNode, ...reasons: readonly string[]): Promise<readonly string[]> {
	const { items } = await plane.client.resource(events, 'default').list();
	return items
		.filter(({ reason = '', involvedObject }) => reasons.includes(reason) && involvedObject.name === 'p')
		.map(({ reason, message }) => `${reason}: ${message}`);
}

test('a postStart hook of sleep 0 ends at once, and a longer one delays the next container', async (t) => {
	const clock = new VirtualClock();
	const { plane } = await startNode(t, { clock });
	const target = plane.client.resource(pods, 'default');
	const hooked = (name: string, seconds: number) => ({ name, lifecycle: { postStart: pause(seconds) } });
	const containers = [hooked('a', 0), hooked('b', 20), { name: 'c' }];
	await target.create(podOf(containers, { terminationGracePeriodSeconds: 30 }));
	await passTime(clock, 19_000);
	const waits = await target.get('p');
	const states = waits.status.containerStatuses?.map(({ state }) => (state?.running ? 'running' : 'waiting'));
	assert.deepEqual(states, ['running', 'waiting', 'waiting']);
	assert.equal(waits.status.phase, 'Pending');
	await passTime(clock, 2000);
	assert.ok((await target.get('p')).status.containerStatuses?.every(({ ready }) => ready));
});

test('a failed postStart hook stops the container, and the event does not tell why', async (t) => {
	const clock = new VirtualClock();
	const node = await startNode(t, { clock });
	const target = node.plane.client.resource(pods, 'default');
	await target.create(podOf([{ lifecycle: { postStart: run('false') } }]));
	await passTime(clock, 5000);
	assert.equal((await target.get('p')).status.phase, 'Failed');
	assert.deepEqual(await messages(node, 'FailedPostStartHook', 'Killing'), [
		'FailedPostStartHook: PostStartHook failed',
		'Killing: FailedPostStartHook',
	]);
});

test('a preStop hook runs before the signal, and its failure is only reported', async (t) => {
	const clock = new VirtualClock();
	const commands: string[] = [];
	const node = await startNode(t, {
		clock,
		exec: ({ command }) => {
			commands.push(command.join(' '));
			return async (process) => {
				await sleep(process.clock, 4000, process.signal);
				return 1;
			};
		},
	});
	const target = node.plane.client.resource(pods, 'default');
	const signals: string[] = [];
	const stop = node.runtime.stopContainer.bind(node.runtime);
	t.mock.method(node.runtime, 'stopContainer', (id: string, graceSeconds: number) => {
		signals.push(`${clock.monotonic()} ${graceSeconds}`);
		return stop(id, graceSeconds);
	});
	await target.create(
		podOf([{ lifecycle: { preStop: run('drain') } }], { terminationGracePeriodSeconds: 10 }),
	);
	await passTime(clock, 1000);
	const deletedAt = clock.monotonic();
	await target.delete('p');
	await passTime(clock, 3000);
	assert.deepEqual([commands, signals], [['drain'], []]);
	await passTime(clock, 2000);
	assert.deepEqual(signals, [`${deletedAt + 4000} 6`]);
	assert.deepEqual(await messages(node, 'FailedPreStopHook', 'Killing'), [
		'Killing: Stopping container main',
		'FailedPreStopHook: PreStopHook failed',
	]);
	await assert.rejects(target.get('p'), { code: 404 });
});

test('a preStop hook that hangs does not outlive the grace period', async (t) => {
	const clock = new VirtualClock();
	const node = await startNode(t, { clock });
	const target = node.plane.client.resource(pods, 'default');
	await target.create(podOf([{ lifecycle: { preStop: pause(8) } }], { terminationGracePeriodSeconds: 8 }));
	await passTime(clock, 1000);
	await target.delete('p', { gracePeriodSeconds: 3 });
	await passTime(clock, 2000);
	assert.ok((await target.get('p')).status.containerStatuses?.[0]?.state?.running);
	await passTime(clock, 2000);
	await assert.rejects(target.get('p'), { code: 404 });
	assert.deepEqual(await messages(node, 'FailedPreStopHook'), []);
});

test('sidecars of a finished Job are stopped last to first, after its container', async (t) => {
	const clock = new VirtualClock();
	const node = await startNode(t, { clock });
	const ends: string[] = [];
	node.runtime.subscribe(({ status }) => {
		if (status.state === 'exited') ends.push(status.name);
	});
	const target = node.plane.client.resource(pods, 'default');
	const initContainers = ['first', 'second', 'third'].map((name) => ({
		...podOf([{ name, restartPolicy: 'Always' }]).spec.containers[0],
	}));
	await target.create(podOf([{ command: ['sleep', '5'] }], { initContainers }));
	await passTime(clock, 10_000);
	const done = await target.get('p');
	assert.deepEqual([done.status.phase, ends], ['Succeeded', ['main', 'third', 'second', 'first']]);
	assert.deepEqual(
		done.status.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode),
		[143, 143, 143],
	);
});
