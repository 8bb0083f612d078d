import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { findCondition } from '../../api/meta/conditions.ts';
import { PodWorld, START, type TestContainer } from './testing/pod-world.ts';

const main = [{ name: 'main' }];

test('a Pod of one container goes from Pending to Running to Succeeded', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Never' });
	assert.equal(world.settle().end, undefined);
	assert.deepEqual(world.started, ['main#0']);
	assert.equal(world.pod.status.phase, 'Running');
	assert.equal(world.condition('Ready'), 'True');
	assert.equal(world.pod.status.podIP, '127.0.0.1');
	world.exit('main', 0);
	assert.equal(world.settle().end, 'over');
	assert.equal(world.pod.status.phase, 'Succeeded');
	assert.equal(world.condition('Ready'), 'False PodCompleted');
	assert.equal(world.condition('Initialized'), 'True PodCompleted');
	assert.equal(world.condition('PodReadyToStartContainers'), 'False');
});

test('with restartPolicy Never a failed container fails the Pod when all containers have ended', () => {
	const world = new PodWorld({ containers: [{ name: 'a' }, { name: 'b' }], restartPolicy: 'Never' });
	world.settle();
	world.exit('a', 3);
	world.settle();
	assert.equal(world.pod.status.phase, 'Running');
	assert.equal(world.condition('ContainersReady'), 'False ContainersNotReady');
	world.exit('b', 0);
	world.settle();
	assert.equal(world.pod.status.phase, 'Failed');
	assert.equal(world.condition('Ready'), 'False PodFailed');
	assert.deepEqual(world.started, ['a#0', 'b#0']);
});

test('a failing container is restarted at once, then after 10, 20, 40 … 300 seconds', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'OnFailure' });
	world.settle();
	const waits: number[] = [];
	for (let end = 0; end < 9; end++) {
		world.exit('main', 1);
		const { againAfterMs } = world.settle();
		waits.push((againAfterMs ?? 0) / 1000);
		if (againAfterMs === undefined) continue;
		assert.equal(world.waiting('main')?.reason, 'CrashLoopBackOff');
		assert.equal(world.pod.status.phase, 'Running');
		world.now += againAfterMs;
		world.settle();
	}
	assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
	assert.equal(world.pod.status.containerStatuses?.[0]?.restartCount, 9);
});

test("the backoff is reported with upstream's message", () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Always' });
	world.settle();
	for (const _ of [1, 2, 3]) {
		world.exit('main', 1);
		world.now += world.settle().againAfterMs ?? 0;
		world.settle();
	}
	world.exit('main', 1);
	world.settle();
	assert.deepEqual(world.waiting('main'), {
		reason: 'CrashLoopBackOff',
		message: 'back-off 40s restarting failed container=main pod=p_ns(u)',
	});
	assert.equal(world.pod.status.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 1);
});

test('a run of more than ten minutes resets the backoff', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Always' });
	world.settle();
	for (const _ of [1, 2, 3]) {
		world.exit('main', 1);
		world.now += world.settle().againAfterMs ?? 0;
		world.settle();
	}
	world.now += 601_000;
	world.exit('main', 1);
	assert.equal(world.settle().againAfterMs, undefined);
	assert.ok(world.runs('main'));
});

test('with restartPolicy OnFailure a container that succeeded is not restarted', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'OnFailure' });
	world.settle();
	world.exit('main', 0);
	world.settle();
	assert.equal(world.pod.status.phase, 'Succeeded');
	assert.deepEqual(world.started, ['main#0']);
});

test('init containers run one after the other, before the regular containers', () => {
	const initContainers = [{ name: 'first' }, { name: 'second' }];
	const world = new PodWorld({ initContainers, containers: main, restartPolicy: 'Never' });
	world.settle();
	assert.deepEqual(world.started, ['first#0']);
	assert.equal(world.pod.status.phase, 'Pending');
	assert.equal(world.waiting('main')?.reason, 'PodInitializing');
	assert.equal(world.condition('Initialized'), 'False ContainersNotInitialized');
	world.exit('first', 0);
	world.settle();
	world.exit('second', 0);
	world.settle();
	assert.deepEqual(world.started, ['first#0', 'second#0', 'main#0']);
	assert.equal(world.pod.status.phase, 'Running');
});

test('a failed init container fails a Pod with restartPolicy Never', () => {
	const world = new PodWorld({
		initContainers: [{ name: 'init' }],
		containers: main,
		restartPolicy: 'Never',
	});
	world.settle();
	world.exit('init', 2);
	assert.equal(world.settle().end, 'over');
	assert.equal(world.pod.status.phase, 'Failed');
	assert.deepEqual(world.started, ['init#0']);
});

test('sidecars run beside the regular containers and are stopped after them, in reverse order', () => {
	const initContainers = [
		{ name: 'one', restartPolicy: 'Always' },
		{ name: 'two', restartPolicy: 'Always' },
	];
	const world = new PodWorld({ initContainers, containers: main, restartPolicy: 'Never' });
	world.settle();
	assert.deepEqual(world.started, ['one#0', 'two#0', 'main#0']);
	world.exit('one', 1);
	world.settle();
	assert.deepEqual(world.started.at(-1), 'one#1');
	world.exit('main', 0);
	world.settle();
	assert.deepEqual(world.stopped, ['two']);
	assert.equal(world.pod.status.phase, 'Running');
	world.exit('two', 137);
	world.settle();
	assert.equal(world.stopped.at(-1), 'one');
	world.exit('one', 137);
	world.settle();
	assert.equal(world.pod.status.phase, 'Succeeded');
});

test('the agent stops a deleted Pod, writes its status and then removes it', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Always' });
	world.settle();
	world.delete(30);
	assert.equal(world.settle().end, undefined);
	assert.deepEqual(world.stopped, ['main']);
	world.exit('main', 143);
	assert.equal(world.settle().end, 'remove');
	assert.equal(world.pod.status.phase, 'Failed');
	assert.deepEqual(world.started, ['main#0']);
});

test('a Pod past its deadline is stopped and then fails', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Always', activeDeadlineSeconds: 5 });
	assert.equal(world.settle().againAfterMs, 5000);
	world.now = START + 5000;
	world.settle();
	assert.deepEqual(world.stopped, ['main']);
	world.exit('main', 0);
	world.settle();
	assert.equal(world.pod.status.phase, 'Failed');
	assert.equal(world.pod.status.reason, 'DeadlineExceeded');
});

for (const isPressure of [true, false]) {
	test(`an evicted Pod is stopped in its time and fails, ${isPressure ? 'with' : 'without'} pressure`, () => {
		const world = new PodWorld({ containers: main, restartPolicy: 'Always' });
		world.settle();
		world.eviction = { message: 'The node was low on resource: memory. ', isPressure, graceSeconds: 7 };
		assert.equal(world.settle().stops[0]?.graceSeconds, 7);
		assert.deepEqual(world.stopped, ['main']);
		world.exit('main', 0);
		world.settle();
		const { phase, reason, message, conditions } = world.pod.status;
		assert.deepEqual([phase, reason, message], ['Failed', 'Evicted', world.eviction.message]);
		const disruption = findCondition(conditions, 'DisruptionTarget');
		assert.equal(disruption?.reason, isPressure ? 'TerminationByKubelet' : undefined);
		assert.deepEqual(world.started, ['main#0']);
	});
}

test('a container that was running and is missing in the runtime has an unknown end', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Never' });
	world.settle();
	world.attempts.clear();
	world.settle();
	const state = world.pod.status.containerStatuses?.[0]?.state;
	assert.equal(state?.terminated?.reason, 'ContainerStatusUnknown');
	assert.equal(state?.terminated?.exitCode, 137);
	assert.equal(world.pod.status.phase, 'Failed');
});

test('a failure to create a container is reported and retried after a backoff', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Never' });
	world.startBackoffs.set('main', {
		reason: 'ErrImagePull',
		message: 'no such image',
		failures: 1,
		at: START,
	});
	assert.equal(world.settle().againAfterMs, 10_000);
	assert.deepEqual(world.waiting('main'), { reason: 'ErrImagePull', message: 'no such image' });
	assert.equal(world.pod.status.phase, 'Pending');
	world.now += 10_000;
	world.settle();
	assert.deepEqual(world.started, ['main#0']);
});

test('an init container is ready when it has succeeded; a sidecar counts for the readiness of the Pod', () => {
	const initContainers = [{ name: 'side', restartPolicy: 'Always' }, { name: 'init' }];
	const world = new PodWorld({ initContainers, containers: main, restartPolicy: 'Never' });
	world.settle();
	const ready = () => world.pod.status.initContainerStatuses?.map((each) => each.ready);
	assert.deepEqual(ready(), [true, false]);
	const message = (type: string) => findCondition(world.pod.status.conditions, type)?.message;
	assert.equal(message('Initialized'), 'containers with incomplete status: [init]');
	world.exit('init', 0);
	world.settle();
	assert.deepEqual(ready(), [true, true]);
	assert.equal(world.condition('Ready'), 'True');
	for (const _ of [1, 2]) {
		world.exit('side', 1);
		world.settle();
	}
	assert.equal(message('Ready'), 'containers with unready status: [side]');
});

test('a Pod that is deleted before its container has started ends, and the container counts as lost', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Never' });
	world.hasSandbox = true;
	world.attempts.set('main', [{ id: 'c', attempt: 0, imageRef: 'i', state: 'created' }]);
	world.delete(30);
	assert.equal(world.settle().end, 'remove');
	assert.deepEqual(world.stopped, []);
	const end = world.pod.status.containerStatuses?.[0]?.state?.terminated;
	assert.deepEqual([end?.exitCode, end?.reason], [137, 'ContainerStatusUnknown']);
});

test('if an init container fails, the other containers stay waiting', () => {
	const world = new PodWorld({
		initContainers: [{ name: 'init' }],
		containers: main,
		restartPolicy: 'Never',
	});
	world.settle();
	world.exit('init', 1);
	world.settle();
	assert.equal(world.pod.status.phase, 'Failed');
	assert.equal(world.waiting('main')?.reason, 'PodInitializing');
});

test('the sandbox of a deleted Pod is ready while its containers run', () => {
	const world = new PodWorld({ containers: main, restartPolicy: 'Never' });
	world.settle();
	world.delete(30);
	world.settle();
	assert.equal(world.condition('PodReadyToStartContainers'), 'True');
	world.exit('main', 143);
	world.settle();
	assert.equal(world.condition('PodReadyToStartContainers'), 'False');
});

const step = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			kind: fc.constant('exit' as const),
			which: fc.nat(3),
			code: fc.constantFrom(0, 0, 1, 137),
		}),
	},
	{
		weight: 3,
		arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 700 }) }),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const) }) },
);

const shape = fc.record({
	restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
	containers: fc.constantFrom<TestContainer[]>(
		[{ name: 'a' }],
		[{ name: 'a' }, { name: 'b' }],
		[
			{ name: 'a' },
			{
				name: 'b',
				restartPolicy: 'Never',
				restartPolicyRules: [
					{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [137] } },
				],
			},
		],
	),
	initContainers: fc.constantFrom(
		[],
		[{ name: 'i' }],
		[{ name: 's', restartPolicy: 'Always' }, { name: 'i' }],
	),
});

test('in any history no attempt starts twice, no container starts after the end, and no terminal phase changes', () => {
	fc.assert(
		fc.property(shape, fc.array(step, { maxLength: 25 }), (spec, steps) => {
			const world = new PodWorld(spec);
			world.settle();
			for (const each of steps) {
				const { phase } = world.pod.status;
				const before = world.started.length;
				const over =
					phase === 'Succeeded' || phase === 'Failed' || world.pod.metadata.deletionTimestamp !== undefined;
				const running = [...world.attempts.keys()].filter((name) => world.runs(name));
				if (each.kind === 'exit') {
					const name = running[each.which % Math.max(running.length, 1)];
					if (name !== undefined) world.exit(name, each.code);
				} else if (each.kind === 'wait') world.now += each.seconds * 1000;
				else if (!over) world.delete(30);
				world.settle();
				if (over) assert.equal(world.started.length, before);
				if (phase === 'Succeeded' || phase === 'Failed') assert.equal(world.pod.status.phase, phase);
				assert.equal(new Set(world.started).size, world.started.length);
			}
		}),
	);
});

test('in any history a deleted Pod ends as soon as its containers have ended', () => {
	fc.assert(
		fc.property(shape, fc.array(fc.nat(3), { maxLength: 6 }), (spec, exits) => {
			const world = new PodWorld(spec);
			world.settle();
			const running = (): string[] => [...world.attempts.keys()].filter((name) => world.runs(name));
			for (const which of exits) {
				const name = running()[which % Math.max(running().length, 1)];
				if (name !== undefined) world.exit(name, which % 2);
				world.settle();
			}
			world.delete(30);
			for (let round = 0; round < 10 && world.settle().end !== 'remove'; round++) {
				for (const name of new Set(world.stopped)) if (world.runs(name)) world.exit(name, 143);
			}
			assert.equal(world.settle().end, 'remove');
			assert.match(world.pod.status.phase ?? '', /Succeeded|Failed/);
		}),
	);
});
