import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { Metrics } from '../metrics.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { WorkQueue } from './work-queue.ts';

describe('work queue', () => {
	let clock: VirtualClock;
	let metrics: Metrics;
	let queue: WorkQueue;
	beforeEach(() => {
		clock = new VirtualClock();
		metrics = new Metrics();
		queue = new WorkQueue({ name: 'test', clock, metrics, backoff: { baseMs: 10, capMs: 100 } });
	});

	/** All waiting keys, taken in order. */
	async function drain(): Promise<readonly string[]> {
		const keys: string[] = [];
		while (queue.depth > 0) keys.push((await queue.take()) ?? 'closed');
		return keys;
	}

	test('hands keys out in the order in which they were added', async () => {
		for (const key of ['b', 'a', 'c']) queue.add(key);
		assert.equal(queue.depth, 3);
		assert.deepEqual(await drain(), ['b', 'a', 'c']);
	});

	test('hands a key to the worker that has waited longest', async () => {
		const [first, second] = [queue.take(), queue.take()];
		queue.add('a');
		queue.add('b');
		assert.equal(queue.depth, 0);
		assert.deepEqual(await Promise.all([first, second]), ['a', 'b']);
	});

	test('1. a key that a worker holds goes to no other worker', async () => {
		queue.add('a');
		assert.equal(await queue.take(), 'a');
		const other = queue.take();
		queue.add('a');
		queue.add('b');
		assert.equal(await other, 'b');
	});

	test('2. a key that is added again while it waits keeps its place and is queued once', async () => {
		for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
		assert.deepEqual(await drain(), ['a', 'b']);
	});

	test('2. a key that is added while a worker holds it is queued once more, after done', async () => {
		queue.add('a');
		await queue.take();
		queue.add('a');
		queue.add('a');
		assert.equal(queue.depth, 0);
		queue.done('a');
		assert.deepEqual(await drain(), ['a']);
		queue.done('a');
		assert.equal(queue.depth, 0);
	});

	test('2. a delayed addition that falls due while a worker holds the key takes effect after done', async () => {
		queue.add('a');
		await queue.take();
		queue.addAfter('a', 10);
		clock.advance(10);
		assert.equal(queue.depth, 0);
		queue.done('a');
		assert.deepEqual(await drain(), ['a']);
	});

	test('3. of two delayed additions of one key the earlier wins', async () => {
		queue.addAfter('a', 20);
		queue.addAfter('a', 10);
		queue.addAfter('a', 30);
		clock.advance(9);
		assert.equal(queue.depth, 0);
		clock.advance(1);
		assert.deepEqual(await drain(), ['a']);
		queue.done('a');
		clock.advance(100);
		assert.equal(queue.depth, 0);
	});

	test('a delay of zero or less adds the key at once', async () => {
		queue.addAfter('a', 0);
		queue.addAfter('b', -1);
		assert.deepEqual(await drain(), ['a', 'b']);
	});

	test('failures of a key double its delay up to the cap, until it is forgotten', () => {
		const delays: number[] = [];
		for (let failure = 0; failure < 6; failure++) {
			const now = clock.now();
			queue.addRateLimited('a');
			delays.push((clock.nextDue() ?? now) - now);
			clock.advance(100);
		}
		assert.deepEqual(delays, [10, 20, 40, 80, 100, 100]);
		assert.equal(queue.failures('a'), 6);
		assert.equal(queue.failures('b'), 0);
		queue.forget('a');
		assert.equal(queue.failures('a'), 0);
		queue.addRateLimited('a');
		assert.equal(clock.nextDue(), clock.now() + 10);
	});

	test('3. the earlier of two delayed additions wins, also when the wall clock is set in between', async () => {
		queue.addAfter('a', 1000);
		clock.setWallClock(clock.now() - 3_600_000);
		queue.addAfter('a', 5000);
		clock.advance(1000);
		assert.deepEqual(await drain(), ['a']);
	});

	test('taking a key takes constant time, however many keys wait', async () => {
		for (let i = 0; i < 300_000; i++) queue.add(String(i));
		const started = process.cpuUsage();
		for (let i = 0; i < 300_000; i++) queue.done((await queue.take()) ?? '');
		const { user, system } = process.cpuUsage(started);
		// With a plain Map, whose first keys have been deleted, finding the first key takes half a minute here.
		assert.ok(user + system < 5_000_000, `took ${(user + system) / 1000} ms of CPU`);
	});

	test('close() drops keys and delayed additions, and ends the waits of workers', async () => {
		const worker = queue.take();
		queue.add('taken');
		assert.equal(await worker, 'taken');
		const waiting = [queue.take(), queue.take()];
		queue.addAfter('later', 10);
		queue.add('taken');
		queue.close();
		assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
		queue.done('taken');
		queue.add('a');
		queue.addAfter('a', 10);
		queue.addRateLimited('a');
		assert.equal(clock.nextDue(), undefined);
		assert.equal(queue.depth, 0);
		assert.equal(await queue.take(), undefined);
	});

	test('under random operations no two workers hold the same key, and no added key is lost', async () => {
		const act = fc.oneof(
			fc.record({ do: fc.constantFrom('add', 'addAfter', 'done'), key: fc.constantFrom('a', 'b', 'c') }),
			fc.record({ do: fc.constantFrom('take', 'advance'), key: fc.constant('') }),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
				const run = new QueueRun();
				for (const { do: what, key } of acts) await run.act(what, key);
				await run.finish();
			}),
		);
	});
});

/** A queue with workers that take and finish keys at the test's command. */
class QueueRun {
	readonly #clock = new VirtualClock();
	readonly #queue = new WorkQueue({
		name: 'test',
		clock: this.#clock,
		metrics: new Metrics(),
		backoff: { baseMs: 10, capMs: 100 },
	});
	readonly #working = new Set<string>();
	readonly #shared: string[] = [];
	/** Keys that no worker has taken since they were last added. */
	readonly #owed = new Set<string>();

	async act(what: string, key: string): Promise<void> {
		if (what === 'add' || what === 'addAfter') this.#owed.add(key);
		if (what === 'add') this.#queue.add(key);
		if (what === 'addAfter') this.#queue.addAfter(key, 10);
		if (what === 'done' && this.#working.delete(key)) this.#queue.done(key);
		if (what === 'advance') this.#clock.advance(7);
		if (what === 'take') void this.#queue.take().then((taken) => taken !== undefined && this.#given(taken));
		await Promise.resolve();
	}

	async finish(): Promise<void> {
		for (let round = 0; round < 10; round++) {
			for (const key of [...this.#working]) await this.act('done', key);
			await this.act('advance', '');
			await this.act('take', '');
		}
		assert.deepEqual(this.#shared, [], 'these were with two workers');
		assert.deepEqual([...this.#owed], [], 'these were lost');
		this.#queue.close();
	}

	#given(key: string): void {
		if (this.#working.has(key)) this.#shared.push(key);
		this.#working.add(key);
		this.#owed.delete(key);
	}
}
