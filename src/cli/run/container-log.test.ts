import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerState, Pod } from '../../api/core/pod/schema.ts';
import { logReads } from './container-log.ts';

type PodSpec = Pod['spec'];

function pod(
	restartPolicy: PodSpec['restartPolicy'],
	phase: 'Running' | 'Failed' | 'Succeeded' = 'Running',
): Pod {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', uid: 'u' },
		spec: { containers: [{ name: 'c' }], ...(restartPolicy && { restartPolicy }) },
		status: { phase },
	};
}

const running: ContainerState = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const ended = (exitCode: number, containerID: string): ContainerState => ({
	terminated: { exitCode, containerID },
});
const waiting: ContainerState = { waiting: { reason: 'CrashLoopBackOff' } };

function reads(
	of: Pod,
	state: ContainerState,
	more: { id?: string; last?: ContainerState; shown?: readonly string[] },
) {
	const { id, last, shown = [] } = more;
	const status = {
		name: 'c',
		ready: false,
		restartCount: 0,
		image: '',
		imageID: '',
		state,
		...(id && { containerID: id }),
		...(last && { lastState: last }),
	};
	return logReads(of, status, new Set(shown)).map(({ containerId, how }) => `${how} ${containerId}`);
}

test('a container that has not started has no log to read', () => {
	assert.deepEqual(reads(pod('Never'), { waiting: { reason: 'ContainerCreating' } }, {}), []);
});

test('each attempt is followed once', () => {
	assert.deepEqual(reads(pod('Never'), running, { id: 'r1' }), ['follow r1']);
	assert.deepEqual(reads(pod('Never'), running, { id: 'r1', shown: ['r1'] }), []);
});

test('the log of an attempt that ended unobserved is read if the container will not restart', () => {
	assert.deepEqual(reads(pod('Never'), ended(1, 'r1'), { id: 'r1' }), ['follow r1']);
	assert.deepEqual(reads(pod('OnFailure'), ended(0, 'r1'), { id: 'r1' }), ['follow r1']);
	assert.deepEqual(reads(pod('OnFailure', 'Failed'), ended(1, 'r1'), { id: 'r1' }), ['follow r1']);
});

test('if the container may restart, the log is read once the attempt is the last state', () => {
	assert.deepEqual(reads(pod('OnFailure'), ended(1, 'r1'), { id: 'r1' }), []);
	assert.deepEqual(reads(pod('OnFailure'), waiting, { id: 'r1', last: ended(1, 'r1') }), ['previous r1']);
	assert.deepEqual(reads(pod('OnFailure'), running, { id: 'r2', last: ended(1, 'r1') }), [
		'previous r1',
		'follow r2',
	]);
	assert.deepEqual(reads(pod('Always'), ended(0, 'r1'), { id: 'r1' }), []);
});

test('a container of a Pod that is being deleted does not restart', () => {
	const going = pod('OnFailure');
	const deleted = { ...going, metadata: { ...going.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
	assert.deepEqual(reads(deleted, ended(1, 'r1'), { id: 'r1' }), ['follow r1']);
});
