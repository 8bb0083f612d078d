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

test('one failure of a container is one run, whether it waits or runs again', () => {
	const waiting = failedRuns(podWith({ state: BACK_OFF, lastState: end(3), restartCount: 1 }));
	assert.deepEqual(waiting, [
		{ key: 'u main 1', container: 'main', how: 'exit code 3', restart: 'is started again after 20s' },
	]);
	const running = failedRuns(podWith({ state: { running: {} }, lastState: end(3), restartCount: 2 }));
	assert.equal(running[0]?.key, 'u main 1');
	assert.equal(running[0]?.restart, 'was started again');
});

test('the end of a Pod that failed has no restart', () => {
	assert.deepEqual(failedRuns(podWith({ state: end(3) }, { phase: 'Failed' })), [
		{ key: 'u main 0', container: 'main', how: 'exit code 3' },
	]);
	assert.deepEqual(failedRuns(podWith({ state: end(3) })), [], 'it may still be started again');
	assert.deepEqual(failedRuns(podWith({ state: end(0) }, { phase: 'Succeeded' })), []);
});

test('a Pod that failed without a container doing so says why itself', () => {
	const status = { phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active too long' } as const;
	assert.deepEqual(failedRuns(podWith({ state: end(0) }, status)), [
		{ key: 'u failed', how: 'DeadlineExceeded: Pod was active too long' },
	]);
});

test('the end of a Pod that is deleted is no failure of its program', () => {
	const pod = podWith({ state: end(137) }, { phase: 'Failed' });
	const metadata = { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
	assert.deepEqual(failedRuns({ ...pod, metadata }), []);
});
