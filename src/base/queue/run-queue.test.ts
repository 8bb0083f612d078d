import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunQueue } from './run-queue.ts';

/** A queue that counts event loop turns, with a clock that each task advances. */
function world(): { queue: RunQueue; work: (ms: number) => void; turn: () => boolean } {
	let now = 0;
	const turns: Array<() => void> = [];
	return {
		queue: new RunQueue({ monotonic: () => now }, (next) => void turns.push(next)),
		work: (ms) => {
			now += ms;
		},
		turn: () => {
			const next = turns.shift();
			next?.();
			return next !== undefined;
		},
	};
}

test('tasks run in a later event loop turn, in order, as many as fit into a slice of 5 ms', () => {
	const { queue, work, turn } = world();
	const ran: number[] = [];
	for (let task = 0; task < 10; task++) {
		queue.add(() => {
			ran.push(task);
			work(2);
		});
	}
	assert.deepEqual(ran, []);
	turn();
	assert.deepEqual(ran, [0, 1, 2]);
	while (turn());
	assert.deepEqual(ran, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('a task that adds itself again waits for the other tasks', () => {
	const { queue, turn } = world();
	const ran: string[] = [];
	const again = (left: number): void => {
		ran.push(`a${left}`);
		if (left > 0) queue.add(() => again(left - 1));
	};
	queue.add(() => again(2));
	queue.add(() => void ran.push('b'));
	while (turn());
	assert.deepEqual(ran, ['a2', 'b', 'a1', 'a0']);
});

test('the queue pauses after a task that takes longer than a slice', () => {
	const { queue, work, turn } = world();
	const ran: number[] = [];
	for (let task = 0; task < 3; task++) {
		queue.add(() => {
			ran.push(task);
			work(50);
		});
	}
	turn();
	assert.deepEqual(ran, [0]);
	turn();
	assert.deepEqual(ran, [0, 1]);
});

test('the other tasks run after a task that throws', () => {
	const { queue, turn } = world();
	const ran: string[] = [];
	queue.add(() => {
		throw new Error('a fault of this task');
	});
	queue.add(() => void ran.push('b'));
	assert.throws(turn, /a fault of this task/);
	while (turn());
	assert.deepEqual(ran, ['b']);
});
