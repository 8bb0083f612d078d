import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { neverStarts } from './never-starts.ts';

function statusOf(name: string, state: ContainerStatus['state']): ContainerStatus {
	return { name, image: '', imageID: '', ready: false, restartCount: 0, state };
}

const INVALID = statusOf('bad', { waiting: { reason: 'InvalidImageName' } });

function podWith(containerStatuses: readonly ContainerStatus[], spec: Partial<Pod['spec']> = {}): Pod {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p' },
		spec: { containers: [], ...spec },
		status: { containerStatuses },
	};
}

test('a container whose image has no name of one is never started, unless the Pod has a deadline', () => {
	const waiting = statusOf('slow', { waiting: { reason: 'ContainerCreating' } });
	assert.deepEqual(neverStarts(podWith([waiting, INVALID])), { container: 'bad', isOnly: true });
	assert.equal(neverStarts(podWith([waiting])), undefined);
	assert.equal(neverStarts(podWith([INVALID], { activeDeadlineSeconds: 5 })), undefined);
});

test('a container that runs or ran may fail, and end the Pod', () => {
	const running = statusOf('server', { running: {} });
	const restarted = { ...statusOf('x', { waiting: {} }), lastState: { terminated: { exitCode: 1 } } };
	for (const other of [running, restarted])
		assert.deepEqual(neverStarts(podWith([INVALID, other])), { container: 'bad', isOnly: false });
});
