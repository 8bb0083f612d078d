import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Metrics } from '../metrics.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { again, DONE, type Outcome, ReconcileLoop, TerminalError } from './reconcile-loop.ts';

const START = Date.UTC(2026, 0, 1);

/** A rest of half the duration of the pass. */
const half = (_key: string, tookMs: number): number => tookMs / 2;

describe('reconcile loop', () => {
	let clock: VirtualClock;
	let passes: string[];
	let errors: string[];
	let abort: AbortController;
	let ended: Promise<void>;

	beforeEach(() => {
		clock = new VirtualClock(START);
		passes = [];
		errors = [];
		abort = new AbortController();
		ended = Promise.resolve();
	});
	afterEach(async () => {
		abort.abort();
		await ended;
	});

	/** A running loop; `reconcile` is called with the number of the key's pass, from 1. */
	function start(
		reconcile: (pass: number, key: string) => Promise<Outcome> | Outcome,
		options: { readonly workers?: number; readonly restMs?: (key: string, tookMs: number) => number } = {},
	): ReconcileLoop {
		const counts = new Map<string, number>();
		const loop = new ReconcileLoop({
			name: 'test',
			clock,
			metrics: new Metrics(),
			workers: options.workers ?? 1,
			backoff: { baseMs: 10, capMs: 1000 },
			...(options.restMs && { restMs: options.restMs }),
			reconcile: async (key) => {
				const count = (counts.get(key) ?? 0) + 1;
				counts.set(key, count);
				passes.push(`${key}${count} at ${clock.now() - START}`);
				return reconcile(count, key);
			},
			onError: (key, error) => errors.push(`${key}: ${String(error)}`),
		});
		ended = loop.run(abort.signal);
		return loop;
	}

	/** Moves the clock from timer to timer, with time for the passes in between. */
	async function advance(lengthMs: number): Promise<void> {
		const until = clock.now() + lengthMs;
		await settled();
		for (let due = clock.nextDue(); due !== undefined && due <= until; due = clock.nextDue()) {
			clock.advanceTo(due);
			await settled();
		}
		clock.advanceTo(until);
		await settled();
	}

	test('done: the loop reconciles a key once, and again only after it is added', async () => {
		const loop = start(() => DONE);
		loop.add('a');
		loop.add('b');
		await advance(10_000);
		assert.deepEqual(passes, ['a1 at 0', 'b1 at 0']);
		loop.add('a');
		await settled();
		assert.deepEqual(passes.slice(2), ['a2 at 10000']);
	});

	test('again: the loop reconciles a key after the requested time, or earlier when it is added', async () => {
		const loop = start((pass) => (pass < 3 ? again(100) : DONE));
		loop.add('a');
		await advance(150);
		loop.add('a');
		await advance(10_000);
		assert.deepEqual(passes, ['a1 at 0', 'a2 at 100', 'a3 at 150', 'a4 at 200']);
	});

	test('a key that is added during its own pass gets another pass after it', async () => {
		const gate = Promise.withResolvers<Outcome>();
		const loop = start((pass) => (pass === 1 ? gate.promise : DONE), { workers: 3 });
		loop.add('a');
		await settled();
		loop.add('a');
		loop.add('a');
		await settled();
		assert.deepEqual(passes, ['a1 at 0']);
		gate.resolve(DONE);
		await settled();
		assert.deepEqual(passes, ['a1 at 0', 'a2 at 0']);
	});

	test('an error is reported and the key retried with growing delays, which a success resets', async () => {
		const loop = start((pass) => {
			if (pass === 4) return DONE;
			throw new Error(`pass ${pass}`);
		});
		loop.add('a');
		await advance(1000);
		assert.deepEqual(passes, ['a1 at 0', 'a2 at 10', 'a3 at 30', 'a4 at 70']);
		assert.deepEqual(errors, ['a: Error: pass 1', 'a: Error: pass 2', 'a: Error: pass 3']);
		assert.equal(loop.queue.failures('a'), 0);
		loop.add('a');
		await advance(10);
		assert.deepEqual(passes.slice(4), ['a5 at 1000', 'a6 at 1010']);
	});

	test('the error of one key delays no other', async () => {
		const loop = start((_, key) => {
			if (key === 'bad') throw new Error('bad');
			return DONE;
		});
		loop.add('bad');
		loop.add('good');
		await settled();
		assert.deepEqual(passes, ['bad1 at 0', 'good1 at 0']);
	});

	test('a TerminalError is reported, and the key is not retried until it is added again', async () => {
		const loop = start((pass) => {
			throw pass === 2 ? new TerminalError('hopeless') : new Error('passing');
		});
		loop.add('a');
		await advance(100_000);
		assert.deepEqual(passes, ['a1 at 0', 'a2 at 10']);
		assert.deepEqual(errors, ['a: Error: passing', 'a: TerminalError: hopeless']);
		assert.equal(loop.queue.failures('a'), 0);
		loop.add('a');
		await settled();
		assert.deepEqual(passes.slice(2), ['a3 at 100000']);
	});

	test('as many keys are reconciled at once as there are workers', async () => {
		const gates = new Map<string, (outcome: Outcome) => void>();
		const loop = start((_, key) => new Promise((resolve) => void gates.set(key, resolve)), { workers: 2 });
		for (const key of ['a', 'b', 'c']) loop.add(key);
		await settled();
		assert.deepEqual([...gates.keys()], ['a', 'b']);
		gates.get('b')?.(DONE);
		await settled();
		assert.deepEqual([...gates.keys()], ['a', 'b', 'c']);
		for (const finish of gates.values()) finish(DONE);
	});

	test('a loop without keys costs no memory for the passes that it could run', async () => {
		const loop = start(() => DONE, { workers: Number.MAX_SAFE_INTEGER });
		loop.add('a');
		await settled();
		assert.deepEqual(passes, ['a1 at 0']);
	});

	test('rest: after a long pass the key waits even if it is added, and other keys do not', async () => {
		const loop = start(
			(pass, key) => {
				if (key !== 'big' || pass > 3) return DONE;
				clock.advance(200);
				if (pass === 1) return DONE;
				if (pass === 2) return again(1);
				throw new Error('pass 3');
			},
			{ restMs: half },
		);
		loop.add('big');
		await settled();
		loop.add('big');
		loop.add('small');
		await advance(10_000);
		assert.deepEqual(passes, ['big1 at 0', 'small1 at 200', 'big2 at 300', 'big3 at 600', 'big4 at 900']);
	});

	test('rest: it lasts one second at most, and a key that is not added gets no pass after it', async () => {
		const loop = start(
			(pass) => {
				if (pass === 1) clock.advance(60_000);
				return DONE;
			},
			{ restMs: half },
		);
		loop.add('a');
		await settled();
		loop.add('a');
		await advance(10_000);
		assert.deepEqual(passes, ['a1 at 0', 'a2 at 61000']);
		assert.equal(clock.nextDue(), undefined);
	});

	test('stop: the running pass ends, no other starts, and no timer remains', async () => {
		const gate = Promise.withResolvers<Outcome>();
		const loop = start(
			(_, key) => {
				if (key !== 'long') clock.advance(100);
				return key === 'long' ? gate.promise : again(100);
			},
			{ workers: 2, restMs: half },
		);
		loop.add('resting');
		loop.add('long');
		await settled();
		loop.add('long');
		loop.queue.addAfter('later', 100);
		let over = false;
		void ended.then(() => {
			over = true;
		});
		abort.abort();
		await settled();
		assert.equal(over, false);
		gate.resolve(again(10));
		await ended;
		assert.equal(clock.nextDue(), undefined);
		loop.add('a');
		await advance(1000);
		assert.deepEqual(passes, ['resting1 at 0', 'long1 at 100']);
	});

	test('a loop whose signal has already aborted reconciles no key', async () => {
		abort.abort();
		const loop = start(() => DONE);
		loop.add('a');
		await ended;
		assert.deepEqual(passes, []);
	});

	test('an error of onError ends the loop once the running passes have ended', async () => {
		const other = Promise.withResolvers<void>();
		let isOver = false;
		const loop = new ReconcileLoop({
			...{ name: 'test', clock, metrics: new Metrics(), workers: 2, backoff: { baseMs: 10, capMs: 1000 } },
			reconcile: async (key) => {
				if (key === 'bad') throw new Error('no pass');
				await other.promise;
				isOver = true;
				return DONE;
			},
			onError: () => {
				throw new Error('no report');
			},
		});
		loop.add('slow');
		loop.add('bad');
		let hasEnded = false;
		const running = loop.run(abort.signal).finally(() => {
			hasEnded = true;
		});
		const rejected = assert.rejects(running, /^Error: no report$/);
		await settled();
		assert.deepEqual([hasEnded, isOver], [false, false]);
		loop.add('next');
		assert.equal(loop.queue.depth, 0);
		other.resolve();
		await rejected;
		assert.equal(isOver, true);
	});
});

/** Lets all pending promises and immediates run. */
function settled(): Promise<void> {
	return new Promise((resolve) => void setImmediate(resolve));
}
