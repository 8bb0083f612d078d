import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../base/testing/virtual-clock.ts';
import { ContainerSlots } from './container-slots.ts';

function open(count: number) {
	const clock = new VirtualClock();
	return { clock, slots: new ContainerSlots({ count, fullMessage: 'there are too few', clock }) };
}

test('a returned slot goes to the caller that has waited longest', async () => {
	const { slots } = open(2);
	assert.deepEqual([await slots.take(0), await slots.take(0)], [true, true]);
	const order: number[] = [];
	const waits = [1, 2, 3].map((number) =>
		slots.take(1000).then((hasSlot) => {
			if (hasSlot) order.push(number);
		}),
	);
	slots.release();
	slots.release();
	await Promise.all(waits.slice(0, 2));
	assert.deepEqual(order, [1, 2]);
	slots.release();
	await Promise.all(waits);
	assert.deepEqual(order, [1, 2, 3]);
});

test('a caller gets false at its deadline, and takes no slot later', async () => {
	const { clock, slots } = open(1);
	await slots.take(0);
	const early = slots.take(1000);
	const late = slots.take(5000);
	clock.advance(1000);
	assert.equal(await early, false);
	slots.release();
	assert.equal(await late, true);
	slots.release();
	assert.equal(await slots.take(0), true, 'and it is free again');
});

test('nextRelease resolves when a slot is returned, or at the deadline', async () => {
	const { clock, slots } = open(2);
	await slots.take(0);
	const changed = slots.nextRelease(1000);
	slots.release();
	await changed;
	const expired = slots.nextRelease(1000);
	clock.advance(1000);
	await expired;
});
