import assert from 'node:assert/strict';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { RuntimeBusy, RuntimeUnavailable } from '../../src/runtime/contract.ts';
import { passTime } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';
import { eventAbout, inPhase, pod, startNode } from './test-node.ts';

/**
 * Failures between a bound Pod and its running container. The Pod has to wait and the agent has to retry;
 * only the container's own exit may fail the Pod or count as a restart.
 */

const waitingOf = (object: Pod | undefined) => object?.status.containerStatuses?.[0]?.state?.waiting;

test('the agent reports a failed creation of a sandbox, and retries it', async (t) => {
	const clock = new VirtualClock();
	const node = await startNode(t, { clock });
	const { plane, runtime } = node;
	const full = t.mock.method(runtime, 'runSandbox', () =>
		Promise.reject(new Error('no space left on device')),
	);
	await plane.client.resource(pods, 'default').create(pod('boxless', ['true']));
	await passTime(clock, 1000);
	const waits = await plane.client.resource(pods, 'default').get('boxless');
	const message = 'Failed to create pod sandbox: no space left on device';
	assert.deepEqual(waitingOf(waits), { reason: 'ContainerCreating', message });
	assert.equal((await eventAbout(node, 'boxless', 'FailedCreatePodSandBox')).message, message);
	assert.equal(full.mock.callCount(), 1);
	full.mock.restore();
	await passTime(clock, 10_000);
	assert.equal((await plane.client.resource(pods, 'default').get('boxless')).status.phase, 'Succeeded');
});

test('a container whose creation fails for an unknown reason waits with CreateContainerError', async (t) => {
	const node = await startNode(t);
	t.mock.method(node.runtime, 'createContainer', () => Promise.reject(new Error('no space left on device')));
	await node.plane.client.resource(pods, 'default').create(pod('unmade', ['true']));
	const waits = await node.plane.until(pods, 'unmade', (object) => waitingOf(object)?.message !== undefined);
	assert.deepEqual(waitingOf(waits), { reason: 'CreateContainerError', message: 'no space left on device' });
	assert.equal((await eventAbout(node, 'unmade', 'Failed')).message, 'Error: no space left on device');
});

test('an unreachable runtime does not fail the Pod', async (t) => {
	const { plane, runtime } = await startNode(t);
	const away = t.mock.method(runtime, 'createContainer', () =>
		Promise.reject(new RuntimeUnavailable('away')),
	);
	await plane.client.resource(pods, 'default').create(pod('retried', ['true']));
	while (away.mock.callCount() < 2) await new Promise(setImmediate);
	away.mock.restore();
	const done = await plane.until(pods, 'retried', inPhase('Succeeded'));
	assert.equal(done?.status.containerStatuses?.[0]?.restartCount, 0);
});

test('a lack of machine resources delays the start of a container and does not fail it', async (t) => {
	const clock = new VirtualClock();
	const node = await startNode(t, { clock });
	const { plane, runtime } = node;
	const busy = t.mock.method(runtime, 'startContainer', () =>
		Promise.reject(new RuntimeBusy('too many open files')),
	);
	const target = plane.client.resource(pods, 'default');
	await target.create(pod('waits', ['true']));
	await passTime(clock, 1000);
	// The next attempt is delayed neither by a wall clock that is set back nor by many consecutive failures.
	clock.setWallClock(clock.now() - 3_600_000);
	await passTime(clock, 60_000);
	const message = 'too many open files; the start will be retried';
	assert.deepEqual(waitingOf(await target.get('waits')), { reason: 'ContainerCreating', message });
	assert.ok(busy.mock.callCount() > 60, `${busy.mock.callCount()} tries`);
	const event = await eventAbout(node, 'waits', 'Failed');
	assert.deepEqual([event.message, event.count], [`Error: ${message}`, 1]);
	busy.mock.restore();
	await passTime(clock, 1000);
	const done = await target.get('waits');
	assert.equal(done.status.phase, 'Succeeded');
	assert.equal(done.status.containerStatuses?.[0]?.restartCount, 0);
});
