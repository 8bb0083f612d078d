import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Random, randomText, SystemRandom } from './random.ts';
import { SeededRandom } from './testing/seeded-random.ts';

const sources: ReadonlyArray<readonly [string, () => Random]> = [
	['system random', () => new SystemRandom()],
	['seeded random', () => new SeededRandom(7)],
];

for (const [name, make] of sources) {
	describe(name, () => {
		test('returns evenly distributed numbers in [0, 1)', () => {
			const random = make();
			const tenths = new Array<number>(10).fill(0);
			for (let i = 0; i < 10_000; i++) {
				const drawn = random.next();
				assert.ok(drawn >= 0 && drawn < 1);
				const tenth = Math.floor(drawn * 10);
				tenths[tenth] = (tenths[tenth] ?? 0) + 1;
			}
			for (const count of tenths) assert.ok(count > 800 && count < 1200, String(tenths));
		});

		test('generates distinct UUIDs of version 4', () => {
			const random = make();
			const uuids = Array.from({ length: 1000 }, () => random.uuid());
			for (const uuid of uuids)
				assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
			assert.equal(new Set(uuids).size, uuids.length);
		});

		test('generates a text of the given length from the given alphabet', () => {
			const text = randomText(make(), 'bcd', 200);
			assert.match(text, /^[bcd]{200}$/);
			for (const letter of 'bcd') assert.ok(text.includes(letter));
			assert.equal(randomText(make(), 'bcd', 0), '');
		});
	});
}
