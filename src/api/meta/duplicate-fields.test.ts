import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duplicateFields } from './duplicate-fields.ts';

test('a field that stands twice is found with its path, once', () => {
	const text = '{"a":1,"spec":{"x":[{"n":"n","n":2,"n":3},{"n":1}],"x":2},"a":{}}';
	assert.deepEqual(duplicateFields(text), ['spec.x[0].n', 'spec.x', 'a']);
});

test('texts and values are no fields', () => {
	assert.deepEqual(
		duplicateFields('{"a":"a","b":["a","a",{"a":"b"}],"c":{"a":"{\\"a\\":1,\\"a\\":2}"}}'),
		[],
	);
	assert.deepEqual(duplicateFields('"a"'), []);
	assert.deepEqual(duplicateFields('[[1,2],[1,2],{"a":[]},{"a":[]}]'), []);
});

test('escapes are undone before keys are compared', () => {
	assert.deepEqual(duplicateFields('{"a":1,"\\u0061":2,"q\\"":1,"q\\\\":2}'), ['a']);
});

test('the position in a list counts all its items', () => {
	assert.deepEqual(duplicateFields('{"l":[1,[2,3],"x",{"k":1, "k" : 2}]}'), ['l[3].k']);
});
