import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { Places } from './places.ts';

function open(count: number) {
	const clock = new VirtualClock();
	return { clock, places: new Places({ count, whyNone: 'there are too few', clock }) };
}

test('a returned place goes to the caller that has waited longest', async () => {
	const { places } = open(2);
	assert.deepEqual([await places.take(0), await places.take(0)], [true, true]);
	const order: number[] = [];
	const waits = [1, 2, 3].map((number) =>
		places.take(1000).then((hasPlace) => {
			if (hasPlace) order.push(number);
		}),
	);
	places.giveBack();
	places.giveBack();
	await Promise.all(waits.slice(0, 2));
	assert.deepEqual(order, [1, 2]);
	places.giveBack();
	await Promise.all(waits);
	assert.deepEqual(order, [1, 2, 3]);
});

test('a caller gets false at its deadline, and takes no place later', async () => {
	const { clock, places } = open(1);
	await places.take(0);
	const early = places.take(1000);
	const late = places.take(5000);
	clock.advance(1000);
	assert.equal(await early, false);
	places.giveBack();
	assert.equal(await late, true);
	places.giveBack();
	assert.equal(await places.take(0), true, 'and it is free again');
});

test('change resolves when a place is returned, or at the deadline', async () => {
	const { clock, places } = open(2);
	await places.take(0);
	const changed = places.change(1000);
	places.giveBack();
	await changed;
	const expired = places.change(1000);
	clock.advance(1000);
	await expired;
});
