import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aborted } from './aborted.ts';
import { Lifecycle, type Part, PartError, StoppedError, type Work } from './lifecycle.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

/** A lifecycle that records the starts and stops of its parts, and the failures that it reports. */
function create(signal?: AbortSignal) {
	const clock = new VirtualClock();
	const events: string[] = [];
	const failures: string[] = [];
	const lifecycle = new Lifecycle({
		clock,
		stopTimeoutMs: 4000,
		onFailure: ({ message }) => failures.push(message),
		...(signal && { signal }),
	});
	const part = (name: string): Part<string> => ({
		name,
		start: async () => {
			events.push(`start ${name}`);
			return name;
		},
		stop: async (started) => {
			await turn();
			events.push(`stop ${started}`);
		},
	});
	const work =
		(name: string): Work =>
		async (signal) => {
			events.push(`run ${name}`);
			await aborted(signal);
			await turn();
			events.push(`end ${name}`);
		};
	return { clock, events, failures, lifecycle, part, work };
}

function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

test('parts start in order and stop in reverse order, each after the part behind it has stopped', async () => {
	const { lifecycle, events, failures, part, work } = create();
	assert.equal(await lifecycle.start(part('store')), 'store');
	await lifecycle.start(part('server'));
	lifecycle.run({ one: work('one'), two: work('two') });
	await lifecycle.start(part('node'));
	await Promise.all([lifecycle.stop(), lifecycle.stop()]);
	assert.deepEqual(events, [
		...['start store', 'start server', 'run one', 'run two', 'start node'],
		...['stop node', 'end one', 'end two', 'stop server', 'stop store'],
	]);
	assert.equal(await lifecycle.ended, undefined);
	assert.deepEqual(failures, []);
});

test('when a part cannot be started, the parts before it stop, and the caller gets its name and error', async () => {
	const { lifecycle, events, failures, part } = create();
	await lifecycle.start(part('store'));
	const cause = new Error('no space');
	const start = lifecycle.start({ name: 'server', start: () => Promise.reject(cause), stop: assert.fail });
	await assert.rejects(start, (error) => {
		assert.ok(error instanceof PartError);
		assert.equal(error.message, 'the server could not be started: no space');
		assert.equal(error.part, 'server');
		assert.equal(error.cause, cause);
		return true;
	});
	assert.deepEqual(events, ['start store', 'stop store']);
	assert.deepEqual(failures, ['the server could not be started: no space']);
	await assert.rejects(lifecycle.start(part('late')), /the server could not be started/);
	lifecycle.run({ late: () => assert.fail() });
	assert.deepEqual(events, ['start store', 'stop store']);
});

test('a work that fails, or ends unexpectedly, stops everything', async () => {
	const ways: ReadonlyArray<readonly [Work, string]> = [
		[() => Promise.reject(new Error('out of luck')), 'the controller failed: out of luck'],
		[
			() => {
				throw new Error('at once');
			},
			'the controller failed: at once',
		],
		[() => Promise.resolve(), 'the controller failed: it ended unexpectedly'],
		[() => Promise.reject(new PartError('inner', 'failed', 'deep down')), 'the inner failed: deep down'],
	];
	for (const [controller, message] of ways) {
		const { lifecycle, events, failures, part, work } = create();
		await lifecycle.start(part('store'));
		lifecycle.run({ controller, other: work('other') });
		assert.equal((await lifecycle.ended)?.message, message);
		assert.deepEqual(events, ['start store', 'run other', 'end other', 'stop store']);
		assert.deepEqual(failures, [message]);
	}
});

test('each failure is reported, and the lifecycle ends with the first of them', async () => {
	const { lifecycle, failures } = create();
	lifecycle.run({
		slow: async (signal) => {
			await aborted(signal);
			throw new Error('again');
		},
		polite: async (signal) => {
			await aborted(signal);
			signal.throwIfAborted();
		},
	});
	lifecycle.fail('store', new Error('disk I/O error'));
	assert.equal((await lifecycle.ended)?.message, 'the store failed: disk I/O error');
	assert.deepEqual(failures, [
		'the store failed: disk I/O error',
		'the slow failed while it was stopped: again',
	]);
});

test('a part that fails to stop, or does not stop in time, is reported by name, and the other parts stop', async () => {
	const { lifecycle, clock, events, failures, part, work } = create();
	await lifecycle.start(part('store'));
	await lifecycle.start({
		...part('server'),
		stop: () => {
			throw new Error('not now');
		},
	});
	lifecycle.run({ stuck: () => new Promise(() => undefined), good: work('good') });
	const stopped = lifecycle.stop();
	await turn();
	await turn();
	assert.deepEqual(events, ['start store', 'start server', 'run good', 'end good']);
	clock.advance(2000);
	await stopped;
	assert.deepEqual(events.slice(4), ['stop store']);
	assert.deepEqual(failures, [
		'the stuck does not stop: timed out after 2000 ms; the other parts are stopped without it',
		'the server could not be stopped: not now',
	]);
	assert.equal((await lifecycle.ended)?.part, 'stuck');
});

test('stopping ends within the time limit, however many parts do not stop', async () => {
	const { lifecycle, clock, failures, part } = create();
	for (let i = 0; i < 20; i++) {
		await lifecycle.start({ ...part(`part ${i}`), stop: () => new Promise(() => undefined) });
	}
	const startedAt = clock.monotonic();
	const stopped = lifecycle.stop();
	for (let due = clock.nextDue(); due !== undefined; due = clock.nextDue()) {
		clock.advanceTo(due);
		await turn();
	}
	await stopped;
	assert.equal(failures.length, 20);
	assert.ok(clock.monotonic() - startedAt <= 4000);
});

test('a stop during the start of a part aborts the start, and stops the part if it has started nevertheless', async () => {
	const abort = new AbortController();
	const { lifecycle, events, part } = create(abort.signal);
	await lifecycle.start(part('store'));
	const starting = lifecycle.start({
		...part('launcher'),
		start: async (signal) => {
			await aborted(signal);
			return 'launcher';
		},
	});
	const neverReady = lifecycle.until(new Promise(() => undefined));
	abort.abort();
	await assert.rejects(starting, StoppedError);
	await assert.rejects(neverReady, StoppedError);
	assert.deepEqual(events, ['start store', 'stop launcher', 'stop store']);
	assert.equal(await lifecycle.ended, undefined);
	await assert.rejects(lifecycle.start(part('late')), StoppedError);
});

test('until() settles as its promise does, or rejects with the failure that stopped everything', async () => {
	const { lifecycle } = create();
	assert.equal(await lifecycle.until(Promise.resolve(7)), 7);
	await assert.rejects(lifecycle.until(Promise.reject(new Error('its own'))), /^Error: its own$/);
	const ready = lifecycle.until(new Promise(() => undefined));
	lifecycle.fail('node agent', new Error('no runtime'));
	await assert.rejects(ready, /the node agent failed: no runtime/);
});

test('a start that fails while everything is stopped is reported, unless it fails because of its aborted signal', async () => {
	for (const isAborted of [false, true]) {
		const { lifecycle, failures } = create();
		const starting = lifecycle.start({
			name: 'runtime',
			start: async (signal) => {
				await aborted(signal);
				if (isAborted) signal.throwIfAborted();
				throw new Error('disk full');
			},
		});
		const stopped = lifecycle.stop();
		await assert.rejects(starting, isAborted ? StoppedError : /the runtime could not be started: disk full/);
		await stopped;
		assert.deepEqual(failures, isAborted ? [] : ['the runtime could not be started: disk full']);
	}
});
