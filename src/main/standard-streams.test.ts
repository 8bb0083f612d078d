import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchStandardStreams } from './standard-streams.ts';

test('errors of standard error are ignored, and those of standard output that its reader has not caused are thrown', () => {
	watchStandardStreams();
	const fail = (stream: NodeJS.WriteStream, code: string) =>
		stream.emit('error', Object.assign(new Error(code), { code }));
	for (const code of ['EPIPE', 'EIO', 'ENOSPC', 'EBADF'])
		assert.doesNotThrow(() => fail(process.stderr, code));
	assert.throws(() => fail(process.stdout, 'EBADF'), /EBADF/);
});
