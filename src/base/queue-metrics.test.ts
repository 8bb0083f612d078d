import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Metrics } from './metrics.ts';
import { VirtualClock } from './virtual-clock.ts';
import { WorkQueue } from './work-queue.ts';

describe('the metrics of a work queue', () => {
	let clock: VirtualClock;
	let metrics: Metrics;
	let queue: WorkQueue;
	beforeEach(() => {
		clock = new VirtualClock();
		metrics = new Metrics();
		queue = new WorkQueue({ name: 'job', clock, metrics, backoff: { baseMs: 10, capMs: 100 } });
	});

	/** The value of the series `workqueue_<name>{name="job"}`. */
	async function value(name: string): Promise<number> {
		const found = new RegExp(`^workqueue_${name}\\{name="job"\\} (.*)$`, 'm').exec(await metrics.text());
		return Number(found?.[1]);
	}

	test('a key counts as added once, however often it is added while it is in line', async () => {
		for (const key of ['a', 'a', 'b']) queue.add(key);
		await queue.take();
		queue.add('a');
		queue.add('a');
		assert.equal(await value('adds_total'), 3);
	});

	test('in line is what waits for a worker, and what waits for the end of its own work', async () => {
		for (const key of ['a', 'b']) queue.add(key);
		await queue.take();
		assert.equal(await value('depth'), 1);
		queue.add('a');
		assert.equal(await value('depth'), 2);
		queue.done('a');
		assert.equal(await value('depth'), 2);
		await queue.take();
		await queue.take();
		assert.equal(await value('depth'), 0);
	});

	test('the wait of a key ends when a worker takes it', async () => {
		queue.add('a');
		clock.advance(1500);
		queue.add('a');
		clock.advance(500);
		await queue.take();
		queue.add('a');
		clock.advance(1000);
		queue.done('a');
		await queue.take();
		assert.equal(await value('queue_duration_seconds_sum'), 3);
		assert.equal(await value('queue_duration_seconds_count'), 2);
	});

	test('work under way shows as unfinished until it is done', async () => {
		for (const key of ['a', 'b']) queue.add(key);
		await queue.take();
		clock.advance(2000);
		await queue.take();
		clock.advance(500);
		assert.equal(await value('unfinished_work_seconds'), 3);
		assert.equal(await value('longest_running_processor_seconds'), 2.5);
		queue.done('a');
		assert.equal(await value('unfinished_work_seconds'), 0.5);
		assert.equal(await value('work_duration_seconds_sum'), 2.5);
		queue.done('b');
		assert.equal(await value('longest_running_processor_seconds'), 0);
	});

	test('a key that rests is not worked on, but in line if it was added', async () => {
		queue.add('a');
		await queue.take();
		queue.done('a', 1000);
		queue.add('a');
		clock.advance(999);
		assert.equal(await value('unfinished_work_seconds'), 0);
		assert.equal(await value('depth'), 1);
		assert.equal(queue.depth, 0);
		clock.advance(1);
		assert.equal(queue.depth, 1);
	});

	test('whatever is put in line for later counts as retried', async () => {
		queue.addAfter('a', 10);
		queue.addRateLimited('b');
		queue.addAfter('c', 0);
		assert.equal(await value('retries_total'), 3);
	});

	test('queues with one Metrics are told apart by their names', async () => {
		const other = new WorkQueue({ name: 'cronjob', clock, metrics, backoff: { baseMs: 10, capMs: 100 } });
		other.add('a');
		const text = await metrics.text();
		assert.match(text, /^workqueue_depth\{name="job"\} 0$/m);
		assert.match(text, /^workqueue_depth\{name="cronjob"\} 1$/m);
	});
});
