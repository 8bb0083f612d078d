import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event } from '../../../api/core/event/schema.ts';
import type { ContainerState, Pod } from '../../../api/core/pod/schema.ts';
import { podWith } from '../../../plan/pod/testing/pod-with.ts';
import { pulledNow } from './image-pulls.ts';

function podIn(state: ContainerState): Pod {
	const pod = podWith({ containers: [{ name: 'c', image: 'nginx' }] });
	const status = { name: 'c', image: 'nginx', imageID: '', ready: false, restartCount: 0, state };
	return { ...pod, status: { ...pod.status, containerStatuses: [status] } };
}

function pulling(image: string, fieldPath?: string): Event {
	return {
		...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, reason: 'Pulling', type: 'Normal' },
		involvedObject: { kind: 'Pod', ...(fieldPath !== undefined && { fieldPath }) },
		reportingComponent: 'kubelet',
		reportingInstance: 'node',
		message: `Pulling image "${image}"`,
	};
}

test('an image is pulled while its container is being started', () => {
	const creating = podIn({ waiting: { reason: 'ContainerCreating' } });
	const pulls = [pulling('nginx', 'spec.containers{c}'), pulling('data:1')];
	assert.deepEqual(pulledNow(creating, pulls), ['nginx', 'data:1']);
	assert.deepEqual(pulledNow(creating, [pulling('nginx', 'spec.containers{other}')]), []);
	for (const state of [
		{ running: { startedAt: '2026-01-01T00:00:00Z' } },
		{ waiting: { reason: 'ImagePullBackOff' } },
		{ terminated: { exitCode: 0 } },
	])
		assert.deepEqual(pulledNow(podIn(state), pulls), []);
});
