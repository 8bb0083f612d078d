import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	addressNumber,
	addressRangeOf,
	addressText,
	DEFAULT_SERVICE_RANGE,
	freeNumber,
	NODE_PORTS,
} from './ranges.ts';

test('a range has its addresses without the first and the last one, and keeps the lower ones for users', () => {
	assert.deepEqual(addressRangeOf('10.96.0.0/12'), {
		text: '10.96.0.0/12',
		first: addressNumber('10.96.0.1'),
		size: 2 ** 20 - 2,
		kept: 256,
	});
	assert.deepEqual(addressRangeOf('10.0.0.7/28'), {
		text: '10.0.0.0/28',
		first: addressNumber('10.0.0.1'),
		size: 14,
		kept: 0,
	});
	assert.equal(addressRangeOf('10.0.0.0/24')?.kept, 16);
	assert.deepEqual(addressRangeOf('127.96.0.0/16'), DEFAULT_SERVICE_RANGE);
	assert.deepEqual(NODE_PORTS, { first: 30_000, size: 2768, kept: 86 });
	for (const text of ['', '10.0.0.0', '10.0.0.0/7', '10.0.0.0/31', 'fd00::/112', '010.0.0.0/16']) {
		assert.equal(addressRangeOf(text), undefined, text);
	}
	assert.equal(addressText(addressNumber('203.0.113.255') ?? 0), '203.0.113.255');
});

test('the lower numbers are allocated last, and none twice', () => {
	const range = { first: 100, size: 10, kept: 3 };
	const used = new Set<number>();
	const taken: number[] = [];
	for (let i = 0; i < 10; i++) {
		const next = freeNumber(
			range,
			(value) => used.has(value),
			(count) => count - 1,
		);
		assert.ok(next !== undefined);
		used.add(next);
		taken.push(next);
	}
	assert.deepEqual(taken, [109, 103, 104, 105, 106, 107, 108, 102, 100, 101]);
	assert.equal(
		freeNumber(
			range,
			(value) => used.has(value),
			() => 0,
		),
		undefined,
	);
});
