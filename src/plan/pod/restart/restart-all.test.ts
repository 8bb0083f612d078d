import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { ContainerStatus } from '../../../api/core/pod/schema.ts';
import { planPod } from '../plan-pod.ts';
import { PodWorld, type TestContainer } from '../testing/pod-world.ts';
import { PACE_MS } from './restart-all.ts';

const exitCodes = { operator: 'In', values: [42] } as const;
const main: TestContainer = {
	name: 'main',
	restartPolicy: 'Never',
	restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes }],
};
const REMOVED = {
	reason: 'RestartingAllContainers',
	message: 'The container is removed because RestartAllContainers in place',
};

/** A running Pod with an init container, a container with the rule, and another container. */
function running(): PodWorld {
	const world = new PodWorld({
		initContainers: [{ name: 'init' }],
		containers: [main, { name: 'other' }],
		restartPolicy: 'Never',
	});
	world.settle();
	world.exit('init', 0);
	world.settle();
	return world;
}

/** Ends all stopped containers, until no plan has a step left. */
function stopAll(world: PodWorld): void {
	for (const name of world.stopped) if (world.runs(name)) world.exit(name, 143);
	world.settle();
}

function statusOf(world: PodWorld, name: string): ContainerStatus | undefined {
	const { initContainerStatuses = [], containerStatuses = [] } = world.pod.status;
	return [...initContainerStatuses, ...containerStatuses].find((each) => each.name === name);
}

test('the restart is reported first, then containers are stopped, removed with the trigger last, and started again', () => {
	const world = running();
	assert.equal(world.condition('AllContainersRestarting'), 'False');
	world.exit('main', 42);
	world.settle();
	assert.equal(world.condition('AllContainersRestarting'), 'True RestartAllContainersStarted');
	assert.equal(world.pod.status.phase, 'Running');
	assert.deepEqual([...new Set(world.stopped)], ['other']);
	assert.deepEqual(world.removed, []);
	assert.equal(statusOf(world, 'main')?.state?.terminated?.exitCode, 42);
	stopAll(world);
	assert.deepEqual(world.removed, ['other_0', 'init_0', 'main_0']);
	assert.deepEqual(world.started, ['init#0', 'main#0', 'other#0', 'init#1']);
	assert.equal(world.hasSandbox, true);
	assert.equal(world.condition('AllContainersRestarting'), 'False');
	assert.equal(world.condition('Initialized'), 'True');
	assert.equal(world.pod.status.phase, 'Pending');
	world.exit('init', 0);
	world.settle();
	assert.deepEqual(world.started.slice(-2), ['main#1', 'other#1']);
	assert.equal(world.pod.status.phase, 'Running');
	assert.equal(statusOf(world, 'main')?.restartCount, 1);
});

test("a removed container is reported as waiting, with upstream's last state", () => {
	const world = running();
	world.exit('main', 42);
	world.settle();
	stopAll(world);
	const cleared = world.writtenFirst.at(-1)?.containerStatuses ?? [];
	assert.deepEqual(
		cleared.map(({ name, state, lastState, restartCount }) => ({ name, state, lastState, restartCount })),
		['main', 'other'].map((name) => ({
			name,
			state: { waiting: REMOVED },
			lastState: { terminated: { exitCode: 137, ...REMOVED } },
			restartCount: 1,
		})),
	);
});

test('for another exit code the restart policy decides; the first matching rule decides', () => {
	const world = running();
	world.exit('main', 1);
	world.exit('other', 0);
	assert.equal(world.settle().end, 'over');
	assert.equal(world.pod.status.phase, 'Failed');
	assert.equal(world.condition('AllContainersRestarting'), 'False PodFailed');
	const restartPolicyRules = [{ action: 'Restart', exitCodes } as const, ...(main.restartPolicyRules ?? [])];
	const alone = new PodWorld({ containers: [{ ...main, restartPolicyRules }, { name: 'other' }] });
	alone.settle();
	alone.exit('main', 42);
	alone.settle();
	assert.deepEqual(alone.stopped, []);
	assert.equal(alone.started.at(-1), 'main#1');
});

test('an init container can trigger a restart of all containers', () => {
	const world = new PodWorld({
		initContainers: [{ name: 'first' }, { ...main, name: 'second' }],
		containers: [{ name: 'app' }],
		restartPolicy: 'Never',
	});
	world.settle();
	world.exit('first', 0);
	world.settle();
	world.exit('second', 42);
	world.settle();
	assert.deepEqual(world.started, ['first#0', 'second#0', 'first#1']);
	assert.equal(world.pod.status.phase, 'Pending');
});

test('a Pod that restarts all containers repeatedly is limited to one restart a second', () => {
	const world = new PodWorld({ containers: [main], restartPolicy: 'Never' });
	world.settle();
	world.exit('main', 42);
	world.settle();
	assert.deepEqual(world.started, ['main#0', 'main#1'], 'the first is not held back');
	world.now += 100;
	world.exit('main', 42);
	assert.equal(world.settle().againAfterMs, PACE_MS - 100);
	assert.deepEqual(world.started, ['main#0', 'main#1']);
	world.now += PACE_MS - 100;
	world.settle();
	assert.deepEqual(world.started, ['main#0', 'main#1', 'main#2']);
	assert.equal(statusOf(world, 'main')?.restartCount, 2);
});

test('a deleted Pod and one past its deadline do not restart their containers', () => {
	const deleted = running();
	deleted.exit('main', 42);
	deleted.settle();
	deleted.delete(30);
	stopAll(deleted);
	assert.equal(deleted.settle().end, 'remove');
	const late = new PodWorld({ containers: [main], restartPolicy: 'Never', activeDeadlineSeconds: 5 });
	late.settle();
	late.now += 6000;
	late.exit('main', 42);
	assert.equal(late.settle().end, 'over');
	assert.equal(late.pod.status.reason, 'DeadlineExceeded');
});

test('an agent that is interrupted at any step restarts all containers exactly once', () => {
	fc.assert(
		fc.property(fc.infiniteStream(fc.nat(3)), (draws) => {
			const world = running();
			world.exit('main', 42);
			for (let round = 0; round < 200 && !world.runs('init'); round++) {
				// An agent that applies only a part of its plan, and then plans again.
				const plan = planPod(world.snapshot());
				const part = draws.next().value ?? 0;
				if (plan.statusFirst && part === 0) world.pod = { ...world.pod, status: plan.status };
				else if (plan.statusFirst && world.condition('AllContainersRestarting').startsWith('True')) {
					for (const { name } of plan.stops.slice(0, part)) if (world.runs(name)) world.exit(name, 143);
					for (const { name, id } of plan.removals.slice(0, part)) world.remove(name, id);
				} else if (!plan.statusFirst) world.settle();
			}
			assert.deepEqual(world.started, ['init#0', 'main#0', 'other#0', 'init#1']);
			world.exit('init', 0);
			world.settle();
			assert.deepEqual(world.started.slice(-2), ['main#1', 'other#1']);
		}),
	);
});
