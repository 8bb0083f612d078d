import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pullFailure } from './hints.ts';
import { RegistryError, shownUrl } from './registry-error.ts';

test('URLs are shown without user, password, fragment and the values of parameters that may be secret', () => {
	const url = new URL(
		'https://user:s3cret@cdn.example/v2/a?X-Amz-Signature=s3cret&ns=docker.io&token=s3cret#s3cret',
	);
	assert.equal(
		shownUrl(url),
		'https://cdn.example/v2/a?X-Amz-Signature=REDACTED&ns=docker.io&token=REDACTED',
	);
});

test('an error keeps its kind, hint and status under a longer message, and its first hint', () => {
	const error = new RegistryError('x: not found', { kind: 'not-found', status: 404 });
	const pulled = pullFailure('docker.io/library/x:1', error.hinted('first').hinted('second'));
	assert.equal(pulled.message, 'failed to pull and unpack image "docker.io/library/x:1": x: not found');
	assert.deepEqual(pulled.failure, { kind: 'not-found', status: 404, hint: 'first' });
});
