import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runtimeNamed } from './runtime-name.ts';

test('a runtime may be followed by the address of its socket, if it has one', () => {
	assert.deepEqual(runtimeNamed('cri', '--runtime'), { name: 'cri' });
	assert.deepEqual(runtimeNamed('cri=unix:///run/a=b.sock', '--runtime'), {
		name: 'cri',
		endpoint: 'unix:///run/a=b.sock',
	});
	assert.throws(
		() => runtimeNamed('cri=', 'STINT_RUNTIME'),
		/^Error: STINT_RUNTIME: after cri= comes the address/,
	);
	assert.throws(
		() => runtimeNamed('process=x', '--runtime'),
		/^Error: --runtime: the runtime process has no endpoint$/,
	);
	assert.throws(
		() => runtimeNamed('vm', '--runtime'),
		/there is no runtime "vm"; use auto, .*docker, cri or fake$/,
	);
});
