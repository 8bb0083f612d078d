import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from './turns.ts';

/**
 * Work of `pieces` pieces, each of which takes 4 ms and wakes the next from a microtask. `turn` runs one event
 * loop turn.
 */
function world(pieces: number): { ran: () => number; wake: () => void; turn: () => Promise<void> } {
	let now = 0;
	let ran = 0;
	const pauses: Array<() => void> = [];
	const turns: Turns = new Turns({
		clock: { monotonic: () => now },
		pause: (next) => void pauses.push(next),
		work: () => {
			ran += 1;
			now += 4;
			if (ran < pieces) void Promise.resolve().then(() => turns.wake());
		},
	});
	return {
		ran: () => ran,
		wake: () => turns.wake(),
		turn: async () => {
			for (const next of pauses.splice(0)) next();
			await new Promise(setImmediate);
		},
	};
}

test('work that wakes itself from microtasks pauses after 10 ms, and continues in the next turn', async () => {
	const { ran, wake, turn } = world(8);
	wake();
	assert.equal(ran(), 0, 'never before wake returns');
	const counts: number[] = [];
	for (let count = 0; count < 4; count++) {
		await turn();
		counts.push(ran());
	}
	assert.deepEqual(counts, [3, 6, 8, 8]);
});

test('waking the work during the pause does not end the pause', async () => {
	const { ran, wake, turn } = world(4);
	wake();
	await turn();
	wake();
	await new Promise(setImmediate);
	assert.equal(ran(), 3);
	await turn();
	assert.equal(ran(), 4);
});

test('work that is woken many times at once is called once', async () => {
	const { ran, wake, turn } = world(1);
	for (let count = 0; count < 5; count++) wake();
	await turn();
	assert.equal(ran(), 1);
});
