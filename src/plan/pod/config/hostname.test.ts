import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { hostnameOf, sandboxHostnameOf } from './hostname.ts';

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

test('the host name of the sandbox has the domain if the Pod asks for it and is in a subdomain', () => {
	const named = (spec: object): string =>
		sandboxHostnameOf({
			metadata: { name: 'web', namespace: 'ns' },
			spec: { containers: [], ...spec } as unknown as Pod['spec'],
		});
	assert.equal(named({ setHostnameAsFQDN: true, subdomain: 'db' }), 'web.db.ns.svc.cluster.local');
	assert.equal(named({ setHostnameAsFQDN: true }), 'web');
	assert.equal(named({ subdomain: 'db' }), 'web');
	assert.equal(named({ setHostnameAsFQDN: true, subdomain: 'db', hostnameOverride: 'h' }), 'h');
	assert.equal(named({ hostNetwork: true, hostname: 'h' }), '', 'that of the node');
	const subdomain = 'd'.repeat(40);
	const fqdn = `web.${subdomain}.ns.svc.cluster.local`;
	assert.throws(() => named({ setHostnameAsFQDN: true, subdomain }), {
		message: `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long (64 characters is the max, 65 characters requested)`,
	});
});
