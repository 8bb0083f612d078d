import assert from 'node:assert/strict';
import test from 'node:test';
import { nextTurn, TurnBudget } from './turn.ts';

for (const platform of ['Node', 'a browser, which has no setImmediate']) {
	test(`nextTurn() ends the current turn in ${platform}`, async (t) => {
		if (platform !== 'Node') t.mock.property(globalThis, 'setImmediate', undefined);
		const order: string[] = [];
		const turn = nextTurn().then(() => order.push('next turn'));
		for (let i = 0; i < 100; i++) await undefined;
		order.push('end of this turn');
		await turn;
		assert.deepEqual(order, ['end of this turn', 'next turn']);
	});
}

test('turn budget: callers run until it is spent, and the others in later turns', async () => {
	let now = 0;
	const budget = new TurnBudget({ monotonic: () => now }, 10);
	const turns: number[] = [];
	let passed = 0;
	let isOver = false;
	// This immediate runs before the budget's own, so that it counts each turn at its start.
	const tick = (): void => {
		passed += 1;
		if (!isOver) setImmediate(tick);
	};
	setImmediate(tick);
	const caller = async (): Promise<void> => {
		const turn = budget.rest();
		if (turn) await turn;
		turns.push(passed);
		now += 6;
	};
	await Promise.all(Array.from({ length: 6 }, caller));
	isOver = true;
	assert.deepEqual(turns.slice(0, 2), [0, 0]);
	const together = turns.map((each) => turns.filter((other) => other === each).length);
	assert.ok(Math.max(...together) <= 2, `they worked in the turns ${turns}`);
});

test('turn budget: no caller waits while the clock does not advance', () => {
	const budget = new TurnBudget({ monotonic: () => 5 }, 10);
	for (let i = 0; i < 1000; i++) assert.equal(budget.rest(), undefined);
});
