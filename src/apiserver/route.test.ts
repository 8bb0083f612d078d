import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePath } from './route.ts';

/** The parts as `group/version namespace resource name subresource`, with `-` for empty ones. */
function parts(path: string): string {
	const parsed = parsePath(path);
	if (!parsed) return 'none';
	const { group, version, namespace, resource, name, subresource, rest } = parsed;
	const texts = [group, version, namespace, resource, name, subresource].map((text) => text || '-');
	return `${texts.join(' ')}${rest ? ' …' : ''}`;
}

test('paths name resources, objects and subresources', () => {
	assert.equal(parts('/api/v1/pods'), '- v1 - pods - -');
	assert.equal(parts('/api/v1/nodes/n'), '- v1 - nodes n -');
	assert.equal(parts('/api/v1/namespaces/ns/pods'), '- v1 ns pods - -');
	assert.equal(parts('/api/v1/namespaces/ns/pods/p/log'), '- v1 ns pods p log');
	assert.equal(parts('/apis/batch/v1/jobs'), 'batch v1 - jobs - -');
	assert.equal(parts('/apis/batch/v1/namespaces/ns/jobs/j/status'), 'batch v1 ns jobs j status');
	assert.equal(parts('/api/v1/namespaces/ns/pods/p/proxy/a/b'), '- v1 ns pods p proxy …');
});

test('a Namespace is routed as an object', () => {
	assert.equal(parts('/api/v1/namespaces'), '- v1 - namespaces - -');
	assert.equal(parts('/api/v1/namespaces/ns'), '- v1 - namespaces ns -');
	assert.equal(parts('/api/v1/namespaces/ns/status'), '- v1 - namespaces ns status');
	assert.equal(parts('/api/v1/namespaces/ns/finalize'), '- v1 - namespaces ns finalize');
});

test('percent-encoding is decoded, and repeated slashes are ignored', () => {
	assert.equal(parts('/api/v1/nodes/a%2Fb'), '- v1 - nodes a/b -');
	assert.equal(parts('/api/v1//pods/'), '- v1 - pods - -');
	assert.throws(() => parsePath('/api/v1/nodes/%zz'), { reason: 'NotFound' });
});

test('other paths name no resource', () => {
	for (const path of [
		'/',
		'',
		'/api',
		'/api/v1',
		'/apis',
		'/apis/batch',
		'/apis/batch/v1',
		'/readyz',
		'/x/y/z/a',
	]) {
		assert.equal(parts(path), 'none', path);
	}
});
