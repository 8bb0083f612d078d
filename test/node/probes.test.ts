import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { events } from '../../src/api/core/event/definition.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { writeTo } from '../../src/runtime/fake/fake-exec.ts';
import { passTime } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';
import { pod, startNode, type TestNode } from './test-node.ts';

/** Probes of a node agent in virtual time: commands in containers of the fake runtime. */

/** A node in virtual time whose commands `check NAME` do what `health` says for the name. */
class ProbedNode {
	readonly clock = new VirtualClock();
	/** By name: the exit code, or `hang`. */
	readonly health = new Map<string, number | 'hang'>();
	/** The times at which each check was run, in seconds since the start. */
	readonly runs: string[] = [];
	readonly #startedAt = this.clock.now();
	node!: TestNode;

	async start(t: TestContext): Promise<this> {
		this.node = await startNode(t, {
			clock: this.clock,
			exec: ({ command: [, name = ''] }) => {
				this.runs.push(`${name} ${(this.clock.now() - this.#startedAt) / 1000}`);
				return async ({ streams }) => {
					const health = this.health.get(name) ?? 0;
					await writeTo(streams, 'stdout', `${name} is ${health}`);
					if (health === 'hang') await streams.closed;
					return health === 'hang' ? 137 : health;
				};
			},
		});
		return this;
	}

	get pods() {
		return this.node.plane.client.resource(pods, 'default');
	}

	async create(container: object, more: object = {}): Promise<void> {
		const made = pod('probed', ['sleep', 'infinity']);
		const containers = [{ ...made.spec.containers[0], ...container }];
		await this.pods.create({
			...made,
			spec: { ...made.spec, restartPolicy: 'Always', containers, ...more },
		} as Pod);
	}

	async pass(seconds: number): Promise<Pod> {
		await passTime(this.clock, seconds * 1000);
		return this.pods.get('probed');
	}

	/** The messages of the Pod's Events with this reason, each with its count. */
	async events(reason: string): Promise<readonly string[]> {
		const { items } = await this.node.plane.client.resource(events, 'default').list();
		return items
			.filter((event) => event.reason === reason && event.involvedObject.name === 'probed')
			.map(({ message, count }) => `${message} x${count}`);
	}
}

const check = (name: string, more: object = {}): object => ({
	...{ exec: { command: ['check', name] }, periodSeconds: 5, timeoutSeconds: 1 },
	...more,
});

function stateOf({ status }: Pod): readonly unknown[] {
	const [first] = status.containerStatuses ?? [];
	return [first?.started, first?.ready, first?.restartCount];
}

test('readiness follows the probe by its thresholds, and so does the condition Ready', async (t) => {
	const world = await new ProbedNode().start(t);
	world.health.set('ready', 1);
	const readinessProbe = check('ready', { initialDelaySeconds: 7, failureThreshold: 2, successThreshold: 2 });
	await world.create({ readinessProbe });
	const waits = await world.pass(6);
	assert.equal(world.runs.join(), '');
	assert.deepEqual(stateOf(waits), [true, false, 0]);
	assert.equal(findCondition(waits.status.conditions, 'Ready')?.reason, 'ContainersNotReady');
	await world.pass(2);
	assert.equal(world.runs.length, 1);
	assert.deepEqual(await world.events('Unhealthy'), ['Readiness probe failed: ready is 1 x1']);
	world.health.set('ready', 0);
	assert.deepEqual(stateOf(await world.pass(5)), [true, false, 0], 'one success is not enough');
	const ready = await world.pass(5);
	assert.deepEqual(stateOf(ready), [true, true, 0]);
	assert.equal(findCondition(ready.status.conditions, 'Ready')?.status, 'True');
	world.health.set('ready', 1);
	assert.deepEqual(stateOf(await world.pass(5)), [true, true, 0], 'one failure is not enough');
	assert.deepEqual(stateOf(await world.pass(5)), [true, false, 0]);
});

test('a failed liveness probe restarts the container, with the events of upstream', async (t) => {
	const world = await new ProbedNode().start(t);
	await world.create({ livenessProbe: check('alive', { failureThreshold: 2 }) });
	assert.deepEqual(stateOf(await world.pass(12)), [true, true, 0]);
	world.health.set('alive', 3);
	assert.deepEqual(stateOf(await world.pass(5)), [true, true, 0]);
	world.health.set('alive', 'hang');
	await world.pass(3.9);
	world.health.set('alive', 0);
	assert.deepEqual(stateOf(await world.pass(5)), [true, true, 1]);
	assert.deepEqual(await world.events('Killing'), [
		'Container main failed liveness probe, will be restarted x1',
	]);
	assert.deepEqual(await world.events('Unhealthy'), [
		'Liveness probe failed: alive is 3 x1',
		'Liveness probe failed: command timed out: "check alive" timed out after 1s x1',
	]);
	assert.deepEqual(stateOf(await world.pass(60)), [true, true, 1]);
});

test('a startup probe holds back the others, and ends when it has succeeded', async (t) => {
	const world = await new ProbedNode().start(t);
	world.health.set('started', 1);
	await world.create({
		startupProbe: check('started', { failureThreshold: 10 }),
		livenessProbe: check('alive'),
		readinessProbe: check('ready'),
	});
	assert.deepEqual(stateOf(await world.pass(11)), [false, false, 0]);
	assert.deepEqual(new Set(world.runs.map((run) => run.split(' ')[0])), new Set(['started']));
	world.health.set('started', 0);
	assert.deepEqual(stateOf(await world.pass(5)), [true, true, 0]);
	world.runs.splice(0);
	await world.pass(20);
	assert.deepEqual(new Set(world.runs.map((run) => run.split(' ')[0])), new Set(['alive', 'ready']));
	assert.equal(world.runs.length, 8);
});

test('a startup probe that fails too often restarts the container', async (t) => {
	const world = await new ProbedNode().start(t);
	world.health.set('started', 1);
	await world.create({ startupProbe: check('started', { failureThreshold: 3 }) });
	await world.pass(12);
	assert.deepEqual(stateOf(await world.pass(1)), [false, false, 1]);
	assert.deepEqual(await world.events('Killing'), [
		'Container main failed startup probe, will be restarted x1',
	]);
});

test('during the deletion readiness is still probed, liveness is not', async (t) => {
	const world = await new ProbedNode().start(t);
	const preStop = { exec: { command: ['check', 'drain'] } };
	world.health.set('drain', 'hang');
	await world.create(
		{
			livenessProbe: check('alive'),
			readinessProbe: check('ready', { failureThreshold: 1 }),
			lifecycle: { preStop },
		},
		{ terminationGracePeriodSeconds: 20 },
	);
	await world.pass(1);
	await world.pods.delete('probed');
	world.runs.splice(0);
	world.health.set('alive', 1);
	world.health.set('ready', 1);
	assert.deepEqual(stateOf(await world.pass(11)), [true, false, 0]);
	assert.ok(!world.runs.some((run) => run.startsWith('alive')), world.runs.join());
	assert.deepEqual(await world.events('Killing'), ['Stopping container main x1']);
	await passTime(world.clock, 15_000);
	await assert.rejects(world.pods.get('probed'), { code: 404 });
});

test('a restarted agent keeps a container ready, and probes it after a random part of the period', async (t) => {
	const world = await new ProbedNode().start(t);
	await world.create({ readinessProbe: check('ready'), startupProbe: check('started') });
	assert.deepEqual(stateOf(await world.pass(6)), [true, true, 0]);
	await world.node.stopAgent();
	world.runs.splice(0);
	world.health.set('ready', 1);
	world.clock.advance(1000);
	await world.node.startAgent();
	assert.deepEqual(stateOf(await world.pass(0)), [true, true, 0]);
	assert.equal(world.runs.join(), '');
	assert.deepEqual(stateOf(await world.pass(16)), [true, false, 0]);
	assert.ok(!world.runs.some((run) => run.startsWith('started')), world.runs.join());
});
