import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { hostnameOf } from './hostname.ts';

function hostname(name: string, spec: object = {}): string {
	return hostnameOf({ metadata: { name }, spec: { containers: [], ...spec } as unknown as Pod['spec'] });
}

test('the host name is the name of the Pod, unless hostname or hostnameOverride is set', () => {
	assert.equal(hostname('job-0-abcde'), 'job-0-abcde');
	assert.equal(hostname('job-0-abcde', { hostname: 'job-0' }), 'job-0');
	assert.equal(hostname('job-0-abcde', { hostname: '' }), 'job-0-abcde');
	assert.equal(hostname('job-0-abcde', { hostname: 'job-0', hostnameOverride: 'db.acme.io' }), 'db.acme.io');
});

test('a long name is cut at 63 characters and does not end in a dash or a dot', () => {
	assert.equal(hostname('a'.repeat(81)), 'a'.repeat(63));
	assert.equal(hostname(`${'a'.repeat(62)}-bcd`), 'a'.repeat(62));
	assert.equal(hostname(`${'a'.repeat(60)}-.-bcd`), 'a'.repeat(60));
	assert.equal(hostname('a'.repeat(63)), 'a'.repeat(63));
});
