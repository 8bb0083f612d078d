import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { firstCommonIndex, parseIndexList } from './strict-index-list.ts';

test('parseIndexList() returns the number of indexes, or the first error', () => {
	const rows: readonly (readonly [text: string, completions: number, sizeOrError: number | string])[] = [
		['', 5, 0],
		['0', 5, 1],
		['0,2-4,7', 8, 5],
		['1,3-5,7,8', 9, 6],
		['+1', 5, 1],
		['007', 8, 1],
		[
			'0-1-2',
			5,
			`the fragment "0-1-2" violates the requirement that an index interval can have at most two parts separated by '-'`,
		],
		['-1', 5, 'cannot convert string to integer for index: ""'],
		['1,', 5, 'cannot convert string to integer for index: ""'],
		['1,a', 5, 'cannot convert string to integer for index: "a"'],
		['1- 3', 5, 'cannot convert string to integer for index: " 3"'],
		['9223372036854775808', 5, 'cannot convert string to integer for index: "9223372036854775808"'],
		['9223372036854775807', 5, 'too large index: "9223372036854775807"'],
		['+', 5, 'cannot convert string to integer for index: "+"'],
		['00000000000000000000', 5, 1],
		['0-00000000000000000004', 5, 5],
		['5', 5, 'too large index: "5"'],
		['0-5', 5, 'too large index: "5"'],
		['0', 0, 'too large index: "0"'],
		['7-3', 5, 'too large index: "7"'],
		['3-3', 5, 'non-increasing order, previous: 3, current: 3'],
		['4-2', 5, 'non-increasing order, previous: 4, current: 2'],
		['1,1', 5, 'non-increasing order, previous: 1, current: 1'],
		['0-2,2-3', 5, 'non-increasing order, previous: 2, current: 2'],
	];
	for (const [text, completions, expected] of rows) {
		const list = parseIndexList(text, completions);
		assert.equal(list.ok ? list.size : list.error, expected, text);
	}
});

test('parseIndexList() parses a list of a hundred thousand indexes quickly', () => {
	const text = Array.from({ length: 50_000 }, (_, index) => index * 2).join(',');
	assert.deepEqual(parseIndexList(text, 100_000), { ok: true, size: 50_000 });
	assert.equal(firstCommonIndex(text, '1,3,99998', 100_000), 99_998);
});

test('parseIndexList() refuses a number of a million digits without converting it', () => {
	const nines = parseIndexList('9'.repeat(1_000_000), 5);
	assert.match(nines.ok ? '' : nines.error, /^cannot convert string to integer for index: "9{4000}"$/);
	assert.deepEqual(parseIndexList(`${'0'.repeat(1_000_000)}3`, 5), { ok: true, size: 1 });
});

test('firstCommonIndex() returns the lowest common index and skips invalid fragments', () => {
	const rows: readonly (readonly [a: string, b: string, common: number | undefined])[] = [
		['', '', undefined],
		['0,2,4', '1,3,5', undefined],
		['0-3', '4-6', undefined],
		['0-3', '3-6', 3],
		['0,5-8', '2,6', 6],
		['x,2', '2', 2],
		['0-99', '99', undefined],
	];
	for (const [a, b, common] of rows) {
		assert.equal(firstCommonIndex(a, b, 10), common, `${a} and ${b}`);
		assert.equal(firstCommonIndex(b, a, 10), common, `${b} and ${a}`);
	}
});

test('for random sets, parseIndexList() returns the size and firstCommonIndex() the lowest common index', () => {
	const indexes = fc.uniqueArray(fc.nat(30), { maxLength: 20 }).map((list) => list.sort((x, y) => x - y));
	fc.assert(
		fc.property(indexes, indexes, (a, b) => {
			assert.deepEqual(parseIndexList(a.join(','), 31), { ok: true, size: a.length });
			assert.equal(
				firstCommonIndex(a.join(','), b.join(','), 31),
				a.find((index) => b.includes(index)),
			);
		}),
	);
});
