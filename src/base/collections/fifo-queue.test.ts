import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FifoQueue } from './fifo-queue.ts';

test('a queue returns its elements oldest first, whatever the order of pushes and shifts', () => {
	const step = fc.oneof(
		fc.record({ type: fc.constant('push' as const), value: fc.nat() }),
		fc.record({ type: fc.constantFrom('shift' as const, 'drain' as const) }),
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
			const queue = new FifoQueue<number>();
			const model: number[] = [];
			for (const each of steps) {
				if (each.type === 'push') {
					queue.push(each.value);
					model.push(each.value);
				} else if (each.type === 'shift') assert.equal(queue.shift(), model.shift());
				else assert.deepEqual(queue.drain(), model.splice(0));
				assert.equal(queue.size, model.length);
				assert.equal(queue.first, model[0]);
			}
		}),
	);
});

test('a million shifts of a long queue do not move the remaining elements', () => {
	const queue = new FifoQueue<number>();
	for (let i = 0; i < 200_000; i++) queue.push(i);
	const started = process.cpuUsage();
	for (let i = 0; i < 1_000_000; i++) queue.push(queue.shift() ?? 0);
	const { user } = process.cpuUsage(started);
	assert.equal(queue.size, 200_000);
	// An array's `shift` needs minutes for this.
	assert.ok(user < 5_000_000, `took ${user / 1000} ms of CPU`);
});
