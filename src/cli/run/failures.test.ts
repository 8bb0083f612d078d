import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerState, Pod } from '../../api/core/pod/schema.ts';
import { endText, failuresOf, failuresText } from './failures.ts';
import { podNoticesOf } from './notices/pod-notices.ts';

function podWith(
	name: string,
	states: { state: ContainerState; lastState?: ContainerState; restartCount?: number },
	metadata = {},
): Pod {
	const status = { name: 'main', ready: false, restartCount: 0, image: '', imageID: '', ...states };
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: {
			name,
			uid: name,
			ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'j', controller: true }],
			...metadata,
		},
		spec: { containers: [{ name: 'main' }] },
		status: { containerStatuses: [status] },
	};
}

function end(exitCode: number, second: number, more = {}): ContainerState {
	const at = (offset: number): string => `2026-01-01T00:00:${String(second + offset).padStart(2, '0')}Z`;
	return { terminated: { exitCode, startedAt: at(-2), finishedAt: at(0), ...more } };
}

test('the latest failure is first, and a container that succeeded after a restart has none', () => {
	const failures = failuresOf([
		podWith('early', { state: end(1, 10) }),
		podWith('late', { state: end(3, 20) }),
		podWith('fine', { state: end(0, 30), lastState: end(1, 25), restartCount: 1 }),
		podWith('running', { state: { running: {} } }),
	]);
	assert.deepEqual(
		failures.map(({ pod, exitCode }) => [pod, exitCode]),
		[
			['late', 3],
			['early', 1],
		],
	);
});

test('a stopped container of a deleted Pod is reported by its earlier failure', () => {
	const deleted = { deletionTimestamp: '2026-01-01T00:00:30Z' };
	const stopped = podWith('p', { state: end(143, 30), lastState: end(5, 20), restartCount: 1 }, deleted);
	assert.deepEqual(
		failuresOf([stopped]).map(({ exitCode }) => exitCode),
		[5],
	);
	assert.deepEqual(failuresOf([podWith('q', { state: end(137, 30) }, deleted)]), []);
	// Without a deletion the program ended by itself.
	assert.equal(failuresOf([podWith('r', { state: end(137, 30, { reason: 'OOMKilled' }) })]).length, 1);
});

test('the end of a container is described by exit code, signal and reason', () => {
	assert.equal(endText({ exitCode: 3, reason: 'Error' }), 'exit code 3');
	assert.equal(
		endText({ exitCode: 137, reason: 'OOMKilled' }),
		'killed by SIGKILL (exit code 137), OOMKilled',
	);
	assert.equal(endText({ exitCode: 139, signal: 11 }), 'killed by SIGSEGV (exit code 139)');
	assert.equal(
		endText({ exitCode: 128, reason: 'StartError', message: 'no such file\n' }),
		'exit code 128, StartError: no such file',
	);
});

test('failures are printed with their last log lines, and the earliest ones are only counted', () => {
	const failures = failuresOf([1, 2, 3, 4, 5].map((n) => podWith(`p${n}`, { state: end(n, 10 + n) })));
	assert.equal(
		failuresText(failures, ({ pod }) => (pod === 'p5' ? ['one', 'two'] : [])),
		`  pod/p5: container main: exit code 5 (after 2s)
      | one
      | two
  pod/p4: container main: exit code 4 (after 2s)
  pod/p3: container main: exit code 3 (after 2s)
  and 2 more that failed earlier
`,
	);
	const [again] = failuresOf([
		podWith('p', { state: { waiting: {} }, lastState: end(1, 5), restartCount: 2 }),
	]);
	assert.match(
		failuresText(again ? [again] : [], () => []),
		/\(after 2s, restarted 2 times\)/,
	);
});

const keys = (pod: Pod): readonly string[] => podNoticesOf(pod).map(({ key }) => key);

test('a Pod that makes progress is not reported', () => {
	assert.deepEqual(podNoticesOf(podWith('p', { state: { waiting: { reason: 'ContainerCreating' } } })), []);
	assert.deepEqual(podNoticesOf(podWith('p', { state: { running: {} } })), []);
});

test('an image that stands for no program is reported once for all Pods of a Job', () => {
	const pull = podWith('a', { state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } });
	const wait = podWith('b', { state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off' } } });
	assert.deepEqual(keys(pull), keys(wait));
	assert.deepEqual(
		podNoticesOf(pull).map(({ text }) => text),
		['pod/a: main: ErrImagePull: no such image; retried with a back-off of 10s to 5m'],
	);
});

test('an unschedulable Pod is reported with the reason', () => {
	const pod = podWith('a', { state: { waiting: {} } });
	const conditions = [
		{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
	] as const;
	assert.deepEqual(
		podNoticesOf({ ...pod, status: { conditions } }).map(({ text }) => text),
		['pod/a: Unschedulable: 0/1 nodes'],
	);
});

test('a Pod that failed without a failed container is reported with its reason', () => {
	const rejected = podWith('p', { state: { waiting: { reason: 'ContainerCreating' } } });
	const status = { phase: 'Failed', reason: 'PodOSNotSupported', message: 'Pod was rejected: no' } as const;
	const failures = failuresOf([{ ...rejected, status }]);
	assert.equal(
		failuresText(failures, () => []),
		'  pod/p: PodOSNotSupported: Pod was rejected: no\n',
	);
	assert.equal(failures[0]?.exitCode, undefined);
	assert.deepEqual(failuresOf([{ ...rejected, status: { phase: 'Running' } }]), []);
});
