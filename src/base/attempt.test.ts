import assert from 'node:assert/strict';
import test from 'node:test';
import { attempt } from './attempt.ts';

test('an attempt returns what its call returns, and undefined where that throws', () => {
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
