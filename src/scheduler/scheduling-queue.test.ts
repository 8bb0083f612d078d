import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import { type AttemptEnd, SchedulingQueue, type Ticket } from './scheduling-queue.ts';

const BOUND: AttemptEnd = { kind: 'bound' };
const FAILED: AttemptEnd = { kind: 'failed' };

function refused(shape: string, predicate = 'NodeResourcesFit'): AttemptEnd {
	return { kind: 'refused', shape, refusedBy: new Set([predicate]) };
}

class World {
	readonly clock = new VirtualClock();
	readonly queue = new SchedulingQueue({ clock: this.clock, onReady: () => undefined });
	readonly #tickets = new Map<string, Ticket>();

	/** The key that is taken next. */
	take(): string | undefined {
		const ticket = this.queue.take();
		if (ticket) this.#tickets.set(ticket.key, ticket);
		return ticket?.key;
	}

	settle(key: string, end: AttemptEnd): void {
		const ticket = this.#tickets.get(key);
		assert.ok(ticket, `${key} is being tried`);
		this.queue.settle(ticket, end);
	}

	/** Queues these keys, and lets an attempt for each end as refused with one shape. */
	refuseAll(keys: readonly string[], end = refused('shape')): void {
		for (const key of keys) this.queue.offer(key, 0);
		for (const key of keys) {
			assert.equal(this.take(), key);
			this.settle(key, end);
		}
	}
}

test('the Pod with the highest priority is taken first, then the one queued first', () => {
	const { queue } = new World();
	for (const [key, priority] of [
		['a', 0],
		['b', 5],
		['c', 5],
		['d', -1],
	] as const)
		queue.offer(key, priority);
	const taken = Array.from({ length: 5 }, () => queue.take()?.key);
	assert.deepEqual(taken, ['b', 'c', 'a', 'd', undefined]);
});

test('an unschedulable Pod waits until a change that may help it', () => {
	const world = new World();
	world.refuseAll(['a']);
	assert.equal(world.take(), undefined);
	world.queue.changed('node-taints');
	assert.equal(world.take(), undefined);
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
});

test('a change during an attempt is not missed', () => {
	const world = new World();
	world.queue.offer('a', 0);
	world.take();
	world.queue.changed('node-taints');
	world.settle('a', refused('shape'));
	assert.equal(world.take(), undefined, 'it cannot help');
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
	world.queue.changed('pod-gone');
	world.settle('a', refused('shape'));
	assert.equal(world.take(), 'a');
	world.settle('a', refused('shape'));
	assert.equal(world.take(), undefined);
});

test('of Pods with the same shape one is tried, and the next once that one is bound', () => {
	const world = new World();
	world.refuseAll(['a', 'b', 'c']);
	world.queue.changed('pod-gone');
	assert.deepEqual([world.take(), world.take()], ['a', undefined]);
	world.queue.changed('pod-gone');
	assert.equal(world.take(), undefined, 'one is being tried');
	world.settle('a', BOUND);
	assert.equal(world.take(), 'b');
	world.settle('b', refused('shape'));
	assert.equal(world.take(), undefined, 'c is refused like b');
});

test('if a Pod is refused for other reasons than its shape, the next Pod of the shape is tried', () => {
	const world = new World();
	world.refuseAll(['a', 'b']);
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
	world.settle('a', refused('another', 'InterPodAffinity'));
	assert.equal(world.take(), 'b');
});

test('if the probe of a shape is dropped or fails, another Pod is tried', () => {
	const world = new World();
	world.refuseAll(['a', 'b', 'c']);
	world.queue.changed('pod-gone');
	world.take();
	world.queue.drop('a');
	assert.equal(world.take(), 'b');
	world.settle('b', FAILED);
	assert.equal(world.take(), 'c');
});

test('a retry waits for a backoff of one second to ten while other Pods are queued', () => {
	const world = new World();
	world.refuseAll(['a']);
	for (const seconds of [1, 2, 4, 8, 10, 10]) {
		world.queue.changed('pod-gone');
		world.clock.advance(seconds * 1000 - 1);
		world.queue.offer('other', 0);
		assert.equal(world.take(), 'other', `before ${seconds} s`);
		world.settle('other', BOUND);
		world.clock.advance(1);
		world.queue.offer('other', 0);
		assert.equal(world.take(), 'a', `after ${seconds} s`);
		world.queue.drop('other');
		world.settle('a', refused('shape'));
	}
});

test('if the queue has no other Pod to try, a Pod is taken early, unless its attempt failed', () => {
	const world = new World();
	world.refuseAll(['a']);
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
	world.settle('a', FAILED);
	assert.equal(world.take(), undefined);
	world.clock.advance(1999);
	assert.equal(world.take(), undefined);
	world.clock.advance(1);
	assert.equal(world.take(), 'a');
});

test('after five minutes one Pod of each shape is tried without any change', () => {
	const world = new World();
	world.refuseAll(['a', 'b']);
	world.refuseAll(['c'], refused('another'));
	world.clock.advance(299_999);
	assert.equal(world.take(), undefined);
	world.clock.advance(1);
	assert.deepEqual([world.take(), world.take(), world.take()], ['a', 'c', undefined]);
	world.clock.advance(600_000);
	for (const key of ['a', 'c']) world.settle(key, refused(key === 'a' ? 'shape' : 'another'));
	assert.equal(world.take(), undefined);
	world.clock.advance(300_000);
	assert.deepEqual([world.take(), world.take()], ['a', 'c']);
});

test('a Pod that changes is tried at once, or after its running attempt', () => {
	const world = new World();
	world.refuseAll(['a']);
	world.queue.offer('a', 0);
	assert.equal(world.take(), 'a');
	world.queue.offer('a', 0);
	assert.equal(world.take(), undefined, 'one Pod is never tried twice at once');
	world.settle('a', refused('shape'));
	assert.equal(world.take(), 'a');
});

test('the result of an attempt is ignored if another Pod has the name by then', () => {
	const world = new World();
	world.queue.offer('a', 0);
	const first = world.queue.take();
	world.queue.drop('a');
	world.queue.offer('a', 0);
	assert.ok(first);
	world.queue.settle(first, BOUND);
	assert.equal(world.take(), 'a');
	world.settle('a', refused('shape'));
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
});

test('a closed queue has no timer', () => {
	const world = new World();
	world.refuseAll(['a']);
	world.queue.offer('b', 0);
	world.take();
	world.settle('b', FAILED);
	world.queue.offer('c', 0);
	const running = world.queue.take();
	assert.ok(running);
	world.queue.close();
	assert.equal(world.clock.nextDue(), undefined);
	// What ends or changes after the close sets none either.
	world.queue.settle(running, FAILED);
	world.queue.changed('pod-gone');
	world.queue.offer('d', 0);
	assert.equal(world.clock.nextDue(), undefined);
});

describe('three hundred thousand Pods', () => {
	const keys = Array.from({ length: 300_000 }, (_, index) => `pod-${index}`);

	/** Iterating over all other Pods for each of them would take ten seconds or more. */
	function assertLinear(work: () => void): void {
		const started = process.cpuUsage();
		work();
		const { user, system } = process.cpuUsage(started);
		assert.ok(user + system < 5_000_000, `took ${(user + system) / 1000} ms of CPU`);
	}

	test('can all be refused for different reasons', () => {
		const world = new World();
		for (const key of keys) world.queue.offer(key, 0);
		assertLinear(() => {
			for (const key of keys) {
				assert.equal(world.take(), key);
				world.settle(key, refused(key));
			}
		});
	});

	test('of one shape can be bound one after the other', () => {
		const world = new World();
		world.refuseAll(keys);
		world.clock.advance(60_000);
		assertLinear(() => {
			world.queue.changed('pod-gone');
			for (const key of keys) {
				assert.equal(world.take(), key);
				world.settle(key, BOUND);
			}
		});
	});
});
