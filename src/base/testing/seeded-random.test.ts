import assert from 'node:assert/strict';
import test from 'node:test';
import { SeededRandom } from './seeded-random.ts';

test('the same seed generates the same values, and another seed different ones', () => {
	const draw = (seed: number): string => {
		const random = new SeededRandom(seed);
		return [random.next(), random.uuid(), random.next()].join();
	};
	assert.equal(draw(1), draw(1));
	const drawn = [0, 1, 2, 3, 2 ** 32 - 1].map(draw);
	assert.equal(new Set(drawn).size, drawn.length);
});
