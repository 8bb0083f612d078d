import assert from 'node:assert/strict';
import test from 'node:test';
import { firstFreeRange, rangesOf } from './subordinate-ranges.ts';

test('the first free range overlaps no range of a user, in any order of the lines', () => {
	const rows: readonly (readonly [text: string, expected: number])[] = [
		['', 100_000],
		['a:100000:65536', 165_536],
		['b:165536:65536\na:100000:65536', 231_072],
		['a:100000:10\nb:165545:65536', 231_081],
		['a:100000:10\nb:165546:65536', 100_010],
		['a:100000:500000\nb:200000:10', 600_000],
		['a:1000:50\n# c:100000:65536\nno range\nb:231072:65536', 100_000],
	];
	for (const [text, expected] of rows) assert.equal(firstFreeRange(rangesOf(text)), expected, text);
});
