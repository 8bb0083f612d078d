import assert from 'node:assert/strict';
import test from 'node:test';
import { attempt } from './attempt.ts';

test('attempt() returns the result of its call, or undefined if the call throws', () => {
	assert.equal(
		attempt(() => 7),
		7,
	);
	assert.equal(
		attempt(() => {
			throw new Error('refused');
		}),
		undefined,
	);
});
