import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { type AttemptEnd, SchedulingQueue, type Ticket } from './scheduling-queue.ts';

const SETTLED: AttemptEnd = { kind: 'settled' };
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

	/** Offers these keys, has each tried and refused as of one shape. */
	refuseAll(keys: readonly string[], end = refused('shape')): void {
		for (const key of keys) this.queue.offer(key, 0);
		for (const key of keys) {
			assert.equal(this.take(), key);
			this.settle(key, end);
		}
	}
}

test('the highest priority comes first, then who came first', () => {
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

test('a Pod that was refused rests until a change that may help', () => {
	const world = new World();
	world.refuseAll(['a']);
	assert.equal(world.take(), undefined);
	world.queue.changed('node-taints');
	assert.equal(world.take(), undefined);
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
});

test('a change during the attempt is not missed', () => {
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

test('of Pods that are refused alike one is tried, and the next once that one has a node', () => {
	const world = new World();
	world.refuseAll(['a', 'b', 'c']);
	world.queue.changed('pod-gone');
	assert.deepEqual([world.take(), world.take()], ['a', undefined]);
	world.queue.changed('pod-gone');
	assert.equal(world.take(), undefined, 'one is being tried');
	world.settle('a', SETTLED);
	assert.equal(world.take(), 'b');
	world.settle('b', refused('shape'));
	assert.equal(world.take(), undefined, 'c is refused like b');
});

test('one that is refused in another way than its siblings lets these be tried', () => {
	const world = new World();
	world.refuseAll(['a', 'b']);
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
	world.settle('a', refused('another', 'InterPodAffinity'));
	assert.equal(world.take(), 'b');
});

test('when the one that is tried for all is dropped, or fails, another one is tried', () => {
	const world = new World();
	world.refuseAll(['a', 'b', 'c']);
	world.queue.changed('pod-gone');
	world.take();
	world.queue.drop('a');
	assert.equal(world.take(), 'b');
	world.settle('b', FAILED);
	assert.equal(world.take(), 'c');
});

test('a Pod that was tried waits from one second to ten while others are to be tried', () => {
	const world = new World();
	world.refuseAll(['a']);
	for (const seconds of [1, 2, 4, 8, 10, 10]) {
		world.queue.changed('pod-gone');
		world.clock.advance(seconds * 1000 - 1);
		world.queue.offer('other', 0);
		assert.equal(world.take(), 'other', `before ${seconds} s`);
		world.settle('other', SETTLED);
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

test('after five minutes one of each sort is tried whatever happens', () => {
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

test('a Pod that changes is tried at once, also if it changes while it is tried', () => {
	const world = new World();
	world.refuseAll(['a']);
	world.queue.offer('a', 0);
	assert.equal(world.take(), 'a');
	world.queue.offer('a', 0);
	assert.equal(world.take(), undefined, 'one Pod is never tried twice at once');
	world.settle('a', refused('shape'));
	assert.equal(world.take(), 'a');
});

test('the end of an attempt says nothing about another Pod that has the name by now', () => {
	const world = new World();
	world.queue.offer('a', 0);
	const first = world.queue.take();
	world.queue.drop('a');
	world.queue.offer('a', 0);
	assert.ok(first);
	world.queue.settle(first, SETTLED);
	assert.equal(world.take(), 'a');
	world.settle('a', refused('shape'));
	world.queue.changed('pod-gone');
	assert.equal(world.take(), 'a');
});

test('a closed queue keeps no timer', () => {
	const world = new World();
	world.refuseAll(['a']);
	world.queue.offer('b', 0);
	world.take();
	world.settle('b', FAILED);
	world.queue.close();
	assert.equal(world.clock.nextDue(), undefined);
});

describe('three hundred thousand Pods', () => {
	const keys = Array.from({ length: 300_000 }, (_, index) => `pod-${index}`);

	/** To look at all others, or at all that were before, for each of them takes ten seconds and more. */
	function assertLinear(work: () => void): void {
		const started = process.cpuUsage();
		work();
		const { user, system } = process.cpuUsage(started);
		assert.ok(user + system < 5_000_000, `took ${(user + system) / 1000} ms of CPU`);
	}

	test('can all be refused in different ways', () => {
		const world = new World();
		for (const key of keys) world.queue.offer(key, 0);
		assertLinear(() => {
			for (const key of keys) {
				assert.equal(world.take(), key);
				world.settle(key, refused(key));
			}
		});
	});

	test('that were refused alike can be placed one after the other', () => {
		const world = new World();
		world.refuseAll(keys);
		world.clock.advance(60_000);
		assertLinear(() => {
			world.queue.changed('pod-gone');
			for (const key of keys) {
				assert.equal(world.take(), key);
				world.settle(key, SETTLED);
			}
		});
	});
});
