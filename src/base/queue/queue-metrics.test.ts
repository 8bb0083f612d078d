import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Metrics } from '../metrics.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
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

	test('a key that is added several times while it waits counts as added once', async () => {
		for (const key of ['a', 'a', 'b']) queue.add(key);
		await queue.take();
		queue.add('a');
		queue.add('a');
		assert.equal(await value('adds_total'), 3);
	});

	test('the depth counts keys that wait for a worker and keys that were added during their own pass', async () => {
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

	test('the queue duration of a key ends when a worker takes it', async () => {
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

	test('a key in progress counts as unfinished work until its worker is done', async () => {
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

	test('a resting key is not in progress, and counts in the depth if it was added', async () => {
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

	test('every delayed addition counts as a retry', async () => {
		queue.addAfter('a', 10);
		queue.addRateLimited('b');
		queue.addAfter('c', 0);
		assert.equal(await value('retries_total'), 3);
	});

	test('queues that share one Metrics have series with their own names', async () => {
		const other = new WorkQueue({ name: 'cronjob', clock, metrics, backoff: { baseMs: 10, capMs: 100 } });
		other.add('a');
		const text = await metrics.text();
		assert.match(text, /^workqueue_depth\{name="job"\} 0$/m);
		assert.match(text, /^workqueue_depth\{name="cronjob"\} 1$/m);
	});
});
