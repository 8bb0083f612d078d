import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../testing/pod-with.ts';
import { managedHostsFile, nodeHostsFile, withServiceNames } from './hosts-file.ts';

const ALIASES = [
	{ ip: '10.0.0.1', hostnames: ['db', 'db.local'] },
	{ ip: '10.0.0.2', hostnames: ['cache'] },
];

test('a Pod with its own network gets the names of loopback, its own name, and its aliases', () => {
	const text = managedHostsFile(podWith({ hostAliases: ALIASES }), ['10.244.0.5']);
	assert.equal(
		text,
		`# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
10.244.0.5\tp

# Entries added by HostAliases.
10.0.0.1\tdb\tdb.local
10.0.0.2\tcache
`,
	);
});

test('a Pod in a subdomain has its full name before the short one, unless its host name is overridden', () => {
	const lastLine = (spec: object): string | undefined =>
		managedHostsFile(podWith({ hostname: 'web-0', subdomain: 'web', ...spec }, { namespace: 'shop' }), [
			'10.1.1.1',
		])
			.split('\n')
			.at(-2);
	assert.equal(lastLine({}), '10.1.1.1\tweb-0.web.shop.svc.cluster.local\tweb-0');
	assert.equal(lastLine({ hostnameOverride: 'db.example' }), '10.1.1.1\tdb.example');
});

test('a Pod in the network of its node gets the file of the node, and its aliases', () => {
	assert.equal(
		nodeHostsFile(podWith({}), '127.0.0.1 localhost\n'),
		'# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n',
	);
	assert.match(
		nodeHostsFile(podWith({ hostAliases: ALIASES }), 'x\n'),
		/\)\.\nx\n\n# Entries added by HostAliases\.\n10/,
	);
});

test('Services are added with the names that the file does not have yet', () => {
	const text = '127.0.0.1\tlocalhost\n10.1.0.1\tweb\n';
	const services = [
		{ address: '127.70.0.1', names: ['web.ns', 'web'] },
		{ address: '127.70.0.2', names: ['localhost'] },
	];
	const added = '\n# Services. This node has no DNS server for them.\n127.70.0.1\tweb.ns\n';
	assert.equal(withServiceNames(text, services), text + added);
	assert.equal(withServiceNames(text, []), text);
});
