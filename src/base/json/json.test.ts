import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
	approximate,
	int64Of,
	isRecord,
	JsonNumber,
	numberOf,
	parseInt64,
	setOwn,
	successor,
} from './json.ts';

const MAX_INT64 = 2n ** 63n - 1n;

describe('JSON numbers', () => {
	test('a 64-bit integer keeps its value, as a number if that is exact and as a bigint otherwise', () => {
		assert.equal(numberOf('9007199254740991'), 9007199254740991);
		assert.equal(numberOf('9007199254740992'), 9007199254740992n);
		assert.equal(numberOf('9007199254740993'), 9007199254740993n);
		assert.equal(numberOf('-9223372036854775808'), -(2n ** 63n));
		assert.equal(numberOf('-0'), -0);
	});

	test('a number that a double would write differently keeps its text', () => {
		for (const text of [
			'1.0',
			'1e3',
			'0.10',
			'9223372036854775808',
			'1e400',
			'123456789012345678901234567890',
		]) {
			const number = numberOf(text);
			assert.ok(number instanceof JsonNumber, text);
			assert.equal(JSON.stringify({ number }), `{"number":${text}}`);
		}
		assert.equal(numberOf('1.5'), 1.5);
	});

	test('JSON.stringify writes large numbers exactly, in every form and place', () => {
		const value = { a: [MAX_INT64], b: { c: MAX_INT64 } };
		assert.equal(JSON.stringify(value), '{"a":[9223372036854775807],"b":{"c":9223372036854775807}}');
		assert.equal(JSON.stringify(MAX_INT64), '9223372036854775807');
	});

	test('each 64-bit integer has one form, which === compares', () => {
		fc.assert(
			fc.property(fc.bigInt({ min: -(2n ** 63n), max: MAX_INT64 }), (value) => {
				const read = numberOf(String(value));
				assert.equal(read, int64Of(value));
				assert.equal(read, parseInt64(String(value)));
				assert.equal(typeof read, Number.isSafeInteger(Number(value)) ? 'number' : 'bigint');
				assert.equal(JSON.stringify(read), String(value));
			}),
		);
	});

	test('successor() counts exactly beyond 2^53, and wraps around after 64 bits as in Go', () => {
		assert.equal(successor(9007199254740991), 9007199254740992n);
		assert.equal(successor(-9007199254740992n), -9007199254740991);
		assert.equal(successor(MAX_INT64), -(2n ** 63n));
		assert.equal(approximate(MAX_INT64), 2 ** 63);
	});

	test('parseInt64 returns undefined for a text that is no 64-bit integer', () => {
		for (const text of ['', '1.0', '0x1', '1e3', ' 1', '9223372036854775808', '9'.repeat(1_000_000)]) {
			assert.equal(parseInt64(text), undefined, text.slice(0, 30));
		}
		assert.equal(parseInt64('+12'), 12);
	});
});

test('a number that is kept as text is not a JSON object', () => {
	assert.equal(isRecord(new JsonNumber('1.0')), false);
	assert.equal(isRecord({}), true);
});

test('a field can have any name', () => {
	const record: Record<string, unknown> = {};
	setOwn(record, '__proto__', 1);
	setOwn(record, 'a', 2);
	assert.equal(JSON.stringify(record), '{"__proto__":1,"a":2}');
});
