import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DescriptorPool } from './descriptor-pool.ts';

/** A holder that records whether its file is open. */
class Holder {
	isOpen = false;

	closeIdle(): void {
		assert.ok(this.isOpen, 'only an open file is closed');
		this.isOpen = false;
	}
}

test('a file stays open between two uses until its descriptor is needed', async () => {
	const pool = new DescriptorPool(2);
	const [one, two, three] = [new Holder(), new Holder(), new Holder()];
	for (const holder of [one, two]) {
		await pool.take(holder);
		holder.isOpen = true;
		pool.markIdle(holder);
	}
	await pool.take(one);
	assert.ok(one.isOpen);
	pool.markIdle(one);
	await pool.take(three);
	assert.deepEqual([one.isOpen, two.isOpen], [true, false], 'the one that was idle longest is closed');
});

test('a holder that finds all descriptors in use waits for the first free one', async () => {
	const pool = new DescriptorPool(1);
	const [one, two] = [new Holder(), new Holder()];
	await pool.take(one);
	one.isOpen = true;
	let hasPlace = false;
	const taking = pool.take(two).then(() => {
		hasPlace = true;
	});
	await new Promise(setImmediate);
	assert.equal(hasPlace, false);
	pool.markIdle(one);
	await taking;
	assert.equal(one.isOpen, false);
});

test('the pool never exceeds its limit, and serves each holder', async () => {
	const uses = fc.array(fc.record({ holder: fc.nat(5), closes: fc.boolean() }), { maxLength: 60 });
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 1, max: 3 }), uses, async (limit, steps) => {
			const pool = new DescriptorPool(limit);
			const holders = Array.from({ length: 6 }, () => new Holder());
			const lanes = new Map<Holder, Promise<void>>();
			for (const { holder: index, closes } of steps) {
				const holder = holders[index];
				assert.ok(holder);
				const use = async (): Promise<void> => {
					await pool.take(holder);
					holder.isOpen = true;
					assert.ok(holders.filter(({ isOpen }) => isOpen).length <= limit);
					await new Promise(setImmediate);
					assert.ok(holder.isOpen, 'a file in use is not closed');
					if (!closes) return pool.markIdle(holder);
					holder.isOpen = false;
					pool.giveBack(holder);
				};
				lanes.set(holder, (lanes.get(holder) ?? Promise.resolve()).then(use));
			}
			await Promise.all(lanes.values());
		}),
		{ numRuns: 50 },
	);
});
