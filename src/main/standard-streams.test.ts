import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchStandardStreams } from './standard-streams.ts';

test('a closed reader or terminal is ignored, and any other error of a stream is thrown', () => {
	watchStandardStreams();
	const fail = (code: string) => process.stderr.emit('error', Object.assign(new Error(code), { code }));
	assert.doesNotThrow(() => fail('EPIPE'));
	assert.doesNotThrow(() => fail('EIO'));
	assert.throws(() => fail('EBADF'), /EBADF/);
});
