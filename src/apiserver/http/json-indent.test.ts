import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { indented } from './json-indent.ts';

function indent(text: string, cutAt: readonly number[] = []): string {
	const bytes = Buffer.from(text);
	const cuts = [0, ...cutAt.map((at) => at % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
	const pieces = cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
	return Buffer.concat([...indented(pieces)]).toString();
}

test('any JSON is indented as by JSON.stringify, wherever its pieces are cut', () => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.array(fc.nat(), { maxLength: 5 }), (value, cuts) => {
			assert.equal(indent(JSON.stringify(value), cuts), `${JSON.stringify(value, undefined, 2)}\n`);
		}),
	);
});

test('strings keep their characters, and numbers their digits', () => {
	assert.equal(
		indent('{"a":"{\\"x\\\\\\": [1,2]","b":9007199254740993,"c":1e300}'),
		'{\n  "a": "{\\"x\\\\\\": [1,2]",\n  "b": 9007199254740993,\n  "c": 1e300\n}\n',
	);
});

test('deep nesting is indented in full', () => {
	const depth = 300;
	const text = `${'['.repeat(depth)}1${']'.repeat(depth)}`;
	assert.equal(indent(text), `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`);
});
