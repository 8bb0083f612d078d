import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goText } from './go-text.ts';

test('JSON values are formatted as Go prints them', () => {
	assert.equal(goText({ b: [1, 'x', null], a: { c: true } }), 'map[a:map[c:true] b:[1 x <nil>]]');
	assert.equal(goText([]), '[]');
});
