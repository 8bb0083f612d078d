import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { podNoticesOf } from './pod-notices.ts';

function waiting(reason: string, message?: string): Pod {
	const state = { waiting: { reason, ...(message !== undefined && { message }) } };
	const status = { name: 'main', state, ready: false, restartCount: 0, image: 'b', imageID: '' };
	return {
		...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u' }, spec: { containers: [] } },
		status: { containerStatuses: [status] },
	};
}

test('a usual start is not reported', () => {
	assert.deepEqual(podNoticesOf(waiting('ContainerCreating')), []);
	assert.deepEqual(podNoticesOf(waiting('PodInitializing')), []);
});

test('a start that is blocked is reported with its reason', () => {
	const texts = ['ContainerCreating', 'CreateContainerConfigError'].map(
		(reason) => podNoticesOf(waiting(reason, 'no such volume'))[0]?.text,
	);
	assert.deepEqual(texts, [
		'pod/p: main: ContainerCreating: no such volume',
		'pod/p: main: CreateContainerConfigError: no such volume',
	]);
});
