import assert from 'node:assert/strict';
import test from 'node:test';
import { badRequest } from './api-error.ts';

test('a message that repeats a large part of a request is cut', () => {
	const { message } = badRequest('x'.repeat(2_900_000)).status;
	assert.match(message ?? '', /^x{100000}\.\.\. \(2800000 more characters\)$/);
	assert.equal(badRequest('short').status.message, 'short');
});
