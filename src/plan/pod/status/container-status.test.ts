import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerStatus } from '../../../api/core/pod/schema.ts';
import { findCondition } from '../../../api/meta/conditions.ts';
import { attemptsOf } from '../restart/attempts.ts';
import type { Attempt } from '../snapshot.ts';
import { PodWorld } from '../testing/pod-world.ts';
import { takesMessageFromLog, withMessage } from './termination-message.ts';

function statusOf({ pod }: PodWorld, name: string): ContainerStatus | undefined {
	const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
	return [...initContainerStatuses, ...containerStatuses].find((status) => status.name === name);
}

test('an init container that has succeeded stays completed with any restart policy', () => {
	for (const restartPolicy of ['Always', 'OnFailure', 'Never'] as const) {
		const world = new PodWorld({
			...{ containers: [{ name: 'main' }], initContainers: [{ name: 'init' }], restartPolicy },
		});
		world.settle();
		world.exit('init', 0);
		world.settle();
		const status = statusOf(world, 'init');
		assert.equal(status?.state?.terminated?.reason, 'Completed', restartPolicy);
		assert.deepEqual([status?.ready, status?.lastState], [true, {}]);
		assert.deepEqual(world.started, ['init#0', 'main#0']);
	}
});

test('an init container that failed waits for its restart, and is completed after a success', () => {
	const world = new PodWorld({ containers: [{ name: 'main' }], initContainers: [{ name: 'init' }] });
	world.settle();
	for (const code of [1, 1]) {
		world.exit('init', code);
		world.settle();
	}
	assert.equal(world.waiting('init')?.reason, 'CrashLoopBackOff');
	world.now += 10_000;
	world.settle();
	world.exit('init', 0);
	world.settle();
	assert.equal(statusOf(world, 'init')?.state?.terminated?.reason, 'Completed');
});

test('a sidecar is restarted even after a success', () => {
	const world = new PodWorld({
		containers: [{ name: 'main' }],
		initContainers: [{ name: 'side', restartPolicy: 'Always' }],
	});
	world.settle();
	world.exit('side', 0);
	world.settle();
	world.exit('side', 0);
	world.settle();
	assert.equal(world.waiting('side')?.reason, 'CrashLoopBackOff');
});

test('the status of a created container has its resources and allocatedResources', () => {
	const limited = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } };
	const containers = [{ name: 'limited', resources: limited }, { name: 'plain' }];
	const world = new PodWorld({ containers });
	world.settle();
	assert.deepEqual(statusOf(world, 'limited')?.resources, limited);
	assert.deepEqual(statusOf(world, 'limited')?.allocatedResources, limited.requests);
	assert.deepEqual(statusOf(world, 'plain')?.resources, {});
	assert.equal(statusOf(world, 'plain')?.allocatedResources, undefined);
});

test('the status of a container that is not created yet has no resources', () => {
	const resources = { requests: { cpu: '1' } };
	const world = new PodWorld({
		containers: [{ name: 'main', resources }],
		initContainers: [{ name: 'init' }],
	});
	world.settle();
	assert.equal(statusOf(world, 'main')?.resources, undefined);
	assert.equal(statusOf(world, 'main')?.allocatedResources, undefined);
});

test('the status of a container has its volume mounts', () => {
	const volumeMounts = [
		{ name: 'data', mountPath: '/data' },
		{ name: 'settings', mountPath: '/etc/app', readOnly: true },
	];
	const world = new PodWorld({ containers: [{ name: 'main', volumeMounts }] });
	world.settle();
	assert.deepEqual(statusOf(world, 'main')?.volumeMounts, [
		{ name: 'data', mountPath: '/data' },
		{ name: 'settings', mountPath: '/etc/app', readOnly: true, recursiveReadOnly: 'Disabled' },
	]);
});

test('a Pod is ready if its containers are ready and its readiness gates are True', () => {
	const readinessGates = [{ conditionType: 'acme.io/a' }, { conditionType: 'acme.io/b' }];
	const world = new PodWorld({ containers: [{ name: 'main' }], readinessGates });
	const set = (type: string, status: 'True' | 'False'): void => {
		const others = (world.pod.status.conditions ?? []).filter((each) => each.type !== type);
		world.pod = { ...world.pod, status: { ...world.pod.status, conditions: [...others, { type, status }] } };
		world.settle();
	};
	world.settle();
	set('acme.io/b', 'False');
	assert.equal(world.condition('ContainersReady'), 'True');
	assert.equal(world.condition('Ready'), 'False ReadinessGatesNotReady');
	assert.equal(
		findCondition(world.pod.status.conditions, 'Ready')?.message,
		'corresponding condition of pod readiness gate "acme.io/a" does not exist., ' +
			'the status of pod readiness gate "acme.io/b" is not "True", but False',
	);
	set('acme.io/a', 'True');
	set('acme.io/b', 'True');
	assert.equal(world.condition('Ready'), 'True');
});

const FAILED: Attempt = {
	...{ id: 'c', attempt: 0, imageRef: 'i', state: 'exited', startedAt: 0, finishedAt: 1 },
	...{ exitCode: 4, reason: 'Error' },
};

test('the log becomes the termination message of a failed container if its policy allows it', () => {
	const fallback = { name: 'c', terminationMessagePolicy: 'FallbackToLogsOnError' } as const;
	const { startedAt: _, ...neverRan } = FAILED;
	assert.equal(takesMessageFromLog(fallback, FAILED), true);
	assert.equal(takesMessageFromLog({ name: 'c', terminationMessagePolicy: 'File' }, FAILED), false);
	assert.equal(takesMessageFromLog(fallback, { ...FAILED, exitCode: 0 }), false);
	assert.equal(takesMessageFromLog(fallback, neverRan), false);
});

test('the message from the log follows that of the runtime and is cut to the share of the container', () => {
	const containers = Array.from({ length: 12 }, (_, index) => ({ name: `c${index}` }));
	const messageOf = (attempt: Attempt): string | undefined =>
		attempt.state === 'exited' ? attempt.message : undefined;
	assert.equal(
		messageOf(withMessage({ ...FAILED, message: 'oops' }, 'log\n', { containers })),
		'oops: log\n',
	);
	assert.equal(messageOf(withMessage(FAILED, 'é'.repeat(1024), { containers }))?.length, 512);
	assert.equal(messageOf(withMessage(FAILED, '', { containers })), undefined);
});

test('a container that never started has the epoch as its start, which is read as no start', () => {
	const world = new PodWorld({ containers: [{ name: 'c' }], restartPolicy: 'Never' });
	world.settle();
	const { startedAt: _, ...neverRan } = {
		...FAILED,
		exitCode: 128,
		reason: 'StartError',
		finishedAt: world.now,
	};
	world.attempts.set('c', [{ ...neverRan, id: world.idOf('c') }]);
	world.settle();
	const { startedAt, reason } = statusOf(world, 'c')?.state?.terminated ?? {};
	assert.deepEqual([startedAt, reason], ['1970-01-01T00:00:00Z', 'StartError']);
	world.attempts.clear();
	const [remembered] = attemptsOf(world.snapshot(), 'c');
	assert.equal(remembered?.state, 'exited');
	assert.equal(remembered && 'startedAt' in remembered, false);
});
