import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerState, ContainerStatus, Pod, PodStatus } from '../../api/core/pod/schema.ts';
import { failedRuns } from './failed-runs.ts';

function podWith(status: Partial<ContainerStatus>, more: Partial<PodStatus> = {}): Pod {
	const container: ContainerStatus = {
		name: 'main',
		ready: false,
		restartCount: 0,
		image: '',
		imageID: '',
		...status,
	};
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'a', uid: 'u' },
		spec: { containers: [] },
		status: { phase: 'Running', containerStatuses: [container], ...more },
	};
}

function end(exitCode: number): ContainerState {
	return { terminated: { exitCode, reason: 'Error' } };
}

const BACK_OFF = {
	waiting: {
		reason: 'CrashLoopBackOff',
		message: 'back-off 20s restarting failed container=main pod=a_ns(u)',
	},
};

test('a failed attempt has the same key while the container backs off and after its restart', () => {
	const waiting = failedRuns(podWith({ state: BACK_OFF, lastState: end(3), restartCount: 1 }));
	assert.deepEqual(waiting, [
		{ key: 'u main 1', container: 'main', how: 'exit code 3', restart: 'restarts after a back-off of 20s' },
	]);
	const running = failedRuns(podWith({ state: { running: {} }, lastState: end(3), restartCount: 2 }));
	assert.equal(running[0]?.key, 'u main 1');
	assert.equal(running[0]?.restart, 'was restarted');
});

test('a failure of a failed Pod has no restart', () => {
	assert.deepEqual(failedRuns(podWith({ state: end(3) }, { phase: 'Failed' })), [
		{ key: 'u main 0', container: 'main', how: 'exit code 3' },
	]);
	assert.deepEqual(failedRuns(podWith({ state: end(3) })), [], 'the container may still restart');
	assert.deepEqual(failedRuns(podWith({ state: end(0) }, { phase: 'Succeeded' })), []);
});

test('a Pod that failed without a failed container is reported with its own reason', () => {
	const status = { phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active too long' } as const;
	assert.deepEqual(failedRuns(podWith({ state: end(0) }, status)), [
		{ key: 'u failed', how: 'DeadlineExceeded: Pod was active too long' },
	]);
});

test('a container that the node agent stopped in a deleted Pod is not a failure', () => {
	const pod = podWith({ state: end(137) }, { phase: 'Failed' });
	const metadata = { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
	assert.deepEqual(failedRuns({ ...pod, metadata }), []);
});
