import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodCondition, ResourceRequirements } from '../../api/core/pod/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { wantsResize } from './resize.ts';
import { PodWorld } from './testing/pod-world.ts';

const cpu = (amount: string): ResourceRequirements => ({ requests: { cpu: amount } });

/** A running Pod whose container has 100m of cpu, on a node with 1 cpu of which others use 500m. */
function running(container: object = {}, more: object = {}): PodWorld {
	const world = new PodWorld({
		containers: [{ name: 'main', resources: cpu('100m'), ...container }],
		...more,
	});
	world.room = { allocatable: { cpu: '1', memory: '1Gi' }, used: new Map([['cpu', '500m']]) };
	world.settle();
	assert.equal(wantsResize(world.pod), false);
	return world;
}

/** Sets the resources in the spec, as the subresource does. */
function resize(world: PodWorld, resources: ResourceRequirements): void {
	const [main] = world.pod.spec.containers;
	assert.ok(main);
	const spec = { ...world.pod.spec, containers: [{ ...main, resources }] };
	world.pod = { ...world.pod, metadata: { ...world.pod.metadata, generation: 2 }, spec };
}

function conditionOf(world: PodWorld, type: string): PodCondition | undefined {
	return findCondition(world.pod.status.conditions, type);
}

const text = (title: string, amount: string, error?: string): string =>
	`${title}: ${JSON.stringify({
		containers: [{ name: 'main', resources: cpu(amount) }],
		generation: 2,
		...(error && { error }),
	})}`;

test('an accepted resize is reported before it begins, and completed without a restart', () => {
	const world = running();
	resize(world, cpu('400m'));
	world.settle();
	const [first] = world.writtenFirst;
	assert.equal(findCondition(first?.conditions, 'PodResizeInProgress')?.status, 'True');
	const before = first?.containerStatuses?.[0];
	assert.deepEqual([before?.resources, before?.allocatedResources], [cpu('100m'), { cpu: '400m' }]);
	assert.deepEqual(world.status('main')?.resources, cpu('400m'));
	assert.equal(conditionOf(world, 'PodResizeInProgress'), undefined);
	assert.deepEqual(world.started, ['main#0']);
	assert.deepEqual(world.events, [
		`ResizeStarted: ${text('Pod resize started', '400m')}`,
		`ResizeCompleted: ${text('Pod resize completed', '400m')}`,
	]);
	assert.equal(world.pod.status.observedGeneration, 2);
});

test('a resize for which the node lacks room is deferred, and done once there is room', () => {
	const world = running();
	resize(world, cpu('600m'));
	assert.equal(world.settle().againAfterMs, 30_000);
	const message = "Node didn't have enough resource: cpu, requested: 600, used: 500, capacity: 1000";
	const pending = conditionOf(world, 'PodResizePending');
	assert.deepEqual(
		[pending?.reason, pending?.message, pending?.observedGeneration],
		['Deferred', message, 2],
	);
	assert.deepEqual(world.status('main')?.allocatedResources, { cpu: '100m' });
	// A restart meanwhile has the resources of before.
	world.exit('main', 1);
	world.now += 20_000;
	world.settle();
	assert.deepEqual(world.status('main')?.resources, cpu('100m'));
	world.room = { allocatable: { cpu: '1' }, used: new Map() };
	world.settle();
	assert.equal(conditionOf(world, 'PodResizePending'), undefined);
	assert.deepEqual(world.status('main')?.resources, cpu('600m'));
	assert.deepEqual(
		world.events.map((each) => each.split(': ')[0]),
		['ResizeDeferred', 'ResizeStarted', 'ResizeCompleted'],
	);
	assert.equal(world.events[0], `ResizeDeferred: ${text('Pod resize Deferred', '600m', message)}`);
});

test('a smaller request needs no room', () => {
	const world = running();
	world.room = { allocatable: { cpu: '1' }, used: new Map([['cpu', '5']]) };
	resize(world, cpu('50m'));
	world.settle();
	assert.deepEqual(world.status('main')?.resources, cpu('50m'));
});

test('a runtime that cannot resize makes the resize infeasible, and the Pod continues', () => {
	const world = running();
	world.traits = { ...world.traits, canResize: false };
	resize(world, cpu('200m'));
	assert.equal(world.settle().againAfterMs, undefined);
	assert.equal(conditionOf(world, 'PodResizePending')?.reason, 'Infeasible');
	assert.equal(
		conditionOf(world, 'PodResizePending')?.message,
		'In-place pod resize is not supported on this node',
	);
	assert.ok(world.runs('main'));
	resize(world, cpu('100m'));
	world.settle();
	assert.equal(conditionOf(world, 'PodResizePending'), undefined, 'the resize was taken back');
});

test('a container whose resizePolicy asks for it is restarted, also with restartPolicy Never', () => {
	const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] as const;
	const world = running({ resizePolicy }, { restartPolicy: 'Never' });
	resize(world, cpu('200m'));
	world.settle();
	assert.deepEqual(world.killed, ['Container main resize requires restart']);
	assert.deepEqual(world.status('main')?.resources, cpu('100m'));
	world.exit('main', 143);
	world.settle();
	assert.deepEqual(world.started, ['main#0', 'main#1']);
	assert.deepEqual(world.status('main')?.resources, cpu('200m'));
	assert.equal(conditionOf(world, 'PodResizeInProgress'), undefined);
});

test('an error of the runtime is reported once, and the resize retried', () => {
	const world = running();
	world.resizeError = 'the memory is in use';
	resize(world, cpu('200m'));
	assert.equal(world.settle().againAfterMs, 10_000);
	const condition = conditionOf(world, 'PodResizeInProgress');
	assert.deepEqual([condition?.reason, condition?.message], ['Error', 'the memory is in use']);
	world.now += 10_000;
	world.settle();
	world.resizeError = undefined;
	world.now += 10_000;
	world.settle();
	assert.deepEqual(
		world.events.map((each) => each.split(': ')[0]),
		['ResizeStarted', 'ResizeError', 'ResizeCompleted'],
	);
	assert.deepEqual(world.status('main')?.resources, cpu('200m'));
});

test('the conditions of a resize end with the Pod', () => {
	const world = running();
	resize(world, cpu('900m'));
	world.settle();
	world.delete();
	world.settle();
	world.exit('main', 0);
	world.settle();
	assert.equal(conditionOf(world, 'PodResizePending'), undefined);
});
