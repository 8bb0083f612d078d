import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
	addQuantities,
	canonicalQuantity,
	compareQuantities,
	formatQuantity,
	parseQuantity,
	quantityMilliValue,
	quantityValue,
} from './quantity.ts';

const canonical: readonly (readonly [string, string])[] = [
	['0', '0'],
	['0n', '0'],
	['0Ki', '0'],
	['0.0', '0'],
	['-0', '0'],
	['.5', '500m'],
	['5.', '5.'],
	['1Ki', '1Ki'],
	['8Ki', '8Ki'],
	['1024Ki', '1Mi'],
	['1025Ki', '1025Ki'],
	['1000Ki', '1000Ki'],
	['2048Mi', '2Gi'],
	['0.5Mi', '512Ki'],
	['0.5Ki', '512'],
	['1.5Gi', '1536Mi'],
	['0.05Ki', '51200m'],
	['1Ei', '1Ei'],
	['16Ei', '9223372036854775807'],
	['1n', '1n'],
	['1u', '1u'],
	['5000m', '5'],
	['5m', '5m'],
	['1500m', '1500m'],
	['1.5', '1500m'],
	['0.001', '1m'],
	['1000', '1k'],
	['1000000', '1M'],
	['1234567', '1234567'],
	['100k', '100k'],
	['1000k', '1M'],
	['1E', '1E'],
	['1000E', '1000E'],
	['9999999999999999999', '9999999999999999999'],
	['12e6', '12e6'],
	['12E6', '12E6'],
	['1e3', '1e3'],
	['10e3', '10e3'],
	['1e2', '100'],
	['100e-2', '1'],
	['1e-3', '1e-3'],
	['12.34e3', '12340'],
	['-1', '-1'],
	['-1.5Gi', '-1536Mi'],
	['0.1n', '1n'],
	['-0.1n', '-1n'],
	['1.0000000001', '1000000001n'],
	['+1', '+1'],
	['1.500', '1.500'],
	['0.100', '100m'],
];

for (const [text, expected] of canonical) {
	test(`the canonical spelling of ${text} is ${expected}`, () =>
		assert.equal(canonicalQuantity(text), expected));
}

test("parseQuantity() refuses an invalid text with upstream's message", () => {
	const form = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
	for (const text of [
		'',
		'aoeu',
		' 1',
		'1 ',
		'1.1.M',
		'1+1.0M',
		'0.1mB',
		'1Kb',
		'true',
		'1 Gi',
		'1KI',
		'1'.repeat(1_000_000),
	]) {
		assert.throws(() => parseQuantity(text), { message: form }, text);
	}
	for (const text of ['1i', '0.1mi', '.5i', '-3.01i', '-3.01e-', '1e999999999', '1mm', '1K']) {
		assert.throws(() => parseQuantity(text), { message: "unable to parse quantity's suffix" }, text);
	}
});

test('quantities of different formats can be compared and added', () => {
	assert.equal(compareQuantities('1Gi', '1G'), 1);
	assert.equal(compareQuantities('1000m', '1'), 0);
	assert.equal(compareQuantities('-1', '0'), -1);
	assert.equal(addQuantities('1Gi', '1024Mi'), '2Gi');
	assert.equal(addQuantities('0', '1Gi'), '1Gi');
	assert.equal(addQuantities('100m', '0.9'), '1');
});

test('quantityValue() rounds up to whole units', () => {
	assert.equal(quantityValue('1Gi'), 1_073_741_824);
	assert.equal(quantityValue('1.1'), 2);
	assert.equal(quantityValue('-1.1'), -2);
	assert.equal(quantityMilliValue('1.5'), 1500);
	assert.equal(quantityMilliValue('1u'), 1);
});

const written = fc
	.tuple(
		fc.integer({ min: -1_000_000, max: 1_000_000 }),
		fc.constantFrom('', '.5', '.25', '.125'),
		fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3', 'e-2'),
	)
	.map(([whole, fraction, suffix]) => `${whole}${fraction}${suffix}`);

test('canonicalQuantity() keeps the value and is idempotent', () => {
	fc.assert(
		fc.property(written, (text) => {
			const { nanos, format } = parseQuantity(text);
			const spelled = formatQuantity({ nanos, format });
			assert.equal(parseQuantity(spelled).nanos, nanos);
			const canonical = canonicalQuantity(text);
			const again = parseQuantity(canonical);
			assert.equal(again.nanos, nanos);
			// As upstream, a binary quantity that no binary suffix divides has no suffix, and is parsed as a
			// decimal one.
			if (again.format === format) assert.equal(canonicalQuantity(canonical), canonical);
			else assert.match(canonical, /^[+-]?\d+$/);
		}),
	);
});
