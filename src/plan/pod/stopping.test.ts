import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { PodWorld, type TestContainer } from './testing/pod-world.ts';

const preStop = { exec: { command: ['drain'] } };
const sidecar = (name: string, more: object = {}): TestContainer => ({
	name,
	restartPolicy: 'Always',
	...more,
});

/** A running Pod with two sidecars and a container. */
function running(more: { main?: object; last?: object } = {}): PodWorld {
	const world = new PodWorld({
		initContainers: [sidecar('first'), sidecar('last', more.last)],
		containers: [{ name: 'main', ...more.main }],
	});
	world.settle();
	assert.deepEqual(world.started, ['first#0', 'last#0', 'main#0']);
	return world;
}

test('sidecars are stopped after the containers, in reverse order, with the rest of the grace period', () => {
	const world = running();
	world.delete(30);
	const plan = world.settle();
	assert.deepEqual(world.stopped, ['main']);
	assert.deepEqual(world.killed, [
		'Stopping container main',
		'Stopping container last',
		'Stopping container first',
	]);
	assert.equal(plan.againAfterMs, 30_000, 'a sidecar waits at most for the grace period');
	world.now += 12_500;
	world.exit('main', 143);
	assert.deepEqual(
		world.settle().stops.map(({ name, step, graceSeconds }) => [name, step, Math.round(graceSeconds)]),
		[
			['last', 'signal', 18],
			['first', 'wait', 18],
		],
	);
	world.exit('last', 143);
	world.settle();
	assert.deepEqual([...new Set(world.stopped)], ['main', 'last', 'first']);
	world.exit('first', 143);
	assert.equal(world.settle().end, 'remove');
});

test('after the grace period all sidecars get their signal, with a minimum of 2 seconds', () => {
	const world = running();
	world.delete(5);
	world.settle();
	world.now += 5000;
	const { stops } = world.settle();
	assert.deepEqual(
		stops.map(({ name, step, graceSeconds }) => [name, step, graceSeconds]),
		[
			['main', 'signal', 2],
			['last', 'signal', 2],
			['first', 'signal', 2],
		],
	);
});

test('the preStop hook comes before the signal, and its time is part of the grace period', () => {
	const world = running({ main: { lifecycle: { preStop } } });
	world.pod = { ...world.pod, spec: { ...world.pod.spec, activeDeadlineSeconds: 1 } };
	world.now += 1000;
	assert.equal(world.settle().againAfterMs, 30_000);
	assert.deepEqual([world.hooked, world.stopped], [['main'], []]);
	world.now += 10_900;
	world.endPreStop('main');
	const [stop] = world.settle().stops;
	assert.deepEqual([stop?.name, stop?.step, stop?.graceSeconds], ['main', 'signal', 20]);
	assert.deepEqual(world.hooked, ['main'], 'the hook runs once');
});

test('a preStop hook that exceeds the grace period is followed by the signal and 2 seconds', () => {
	const world = running({ main: { lifecycle: { preStop } } });
	world.delete(4);
	world.settle();
	world.now += 4000;
	const [stop] = world.settle().stops;
	assert.deepEqual([stop?.step, stop?.graceSeconds], ['signal', 2]);
});

test('the hooks of sidecars run beside those of the containers', () => {
	const world = running({ last: { lifecycle: { preStop } }, main: { lifecycle: { preStop } } });
	world.delete();
	world.settle();
	assert.deepEqual([world.hooked, world.stopped], [['main', 'last'], []]);
	world.endPreStop('last');
	world.settle();
	assert.deepEqual(world.stopped, []);
	world.endPreStop('main');
	world.settle();
	world.exit('main', 0);
	world.settle();
	assert.deepEqual([...new Set(world.stopped)], ['main', 'last']);
});

test('without a grace period no hook runs', () => {
	const world = running({ main: { lifecycle: { preStop } } });
	world.delete(0);
	world.settle();
	assert.deepEqual([world.hooked, world.stopped.length], [[], 3]);
});

test('a shorter grace period shortens a stop that has begun, and a longer one does not extend it', () => {
	const world = running();
	world.delete(30);
	world.settle();
	world.delete(3);
	assert.equal(world.settle().stops[0]?.graceSeconds, 3);
	world.delete(60);
	assert.ok((world.settle().stops[0]?.graceSeconds ?? 99) <= 30);
});

/** A Pod of sidecars and containers, and an order of events that end it. */
const scenario = fc.record({
	sidecars: fc.array(fc.record({ hook: fc.boolean() }), { minLength: 1, maxLength: 4 }),
	containers: fc.array(fc.record({ hook: fc.boolean() }), { minLength: 1, maxLength: 3 }),
	graceSeconds: fc.integer({ min: 1, max: 60 }),
	events: fc.array(fc.tuple(fc.nat(6), fc.constantFrom('hook', 'exit'), fc.nat(3000)), { maxLength: 40 }),
});

test('within the grace period no sidecar is signalled before the containers and later sidecars have ended', () => {
	fc.assert(
		fc.property(scenario, ({ sidecars, containers, graceSeconds, events }) => {
			const named = (prefix: string, list: readonly { hook: boolean }[]): readonly TestContainer[] =>
				list.map(({ hook }, index) => ({
					name: `${prefix}${index}`,
					...(hook && { lifecycle: { preStop } }),
				}));
			const initContainers = named('s', sidecars).map((each) => ({ ...each, restartPolicy: 'Always' }));
			const world = new PodWorld({ initContainers, containers: named('c', containers) });
			world.settle();
			world.delete(graceSeconds);
			const names = [...world.attempts.keys()];
			const end = world.now + graceSeconds * 1000;
			const check = (): void => {
				for (const { name, step } of world.settle().stops) {
					if (step !== 'signal' || world.now >= end) continue;
					const index = Number(name.slice(1));
					const first = names.filter((other) => other[0] === 'c' || Number(other.slice(1)) > index);
					if (name[0] === 's') assert.ok(!first.some((other) => world.runs(other)), `${name} too early`);
				}
			};
			check();
			for (const [pick, what, ms] of events) {
				const name = names[pick % names.length] ?? '';
				// A container ends after its signal, or by itself.
				if (what === 'exit' && world.runs(name)) world.exit(name, 0);
				if (what === 'hook') world.endPreStop(name);
				world.now += ms;
				check();
			}
			world.now = Math.max(world.now, end);
			const signalled = new Set(
				world
					.settle()
					.stops.filter(({ step }) => step === 'signal')
					.map(({ name }) => name),
			);
			assert.deepEqual(signalled, new Set(names.filter((name) => world.runs(name))), 'all by the end');
			for (const name of names) if (world.runs(name)) world.exit(name, 143);
			assert.equal(world.settle().end, 'remove');
			assert.equal(world.started.length, names.length, 'nothing is started during a deletion');
		}),
	);
});
