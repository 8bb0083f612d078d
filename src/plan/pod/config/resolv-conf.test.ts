import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../testing/pod-with.ts';
import { dnsConfigOf, type NodeDns, resolvConfText, resolvesAsNode } from './resolv-conf.ts';

const OWN = `# of the machine
nameserver 192.0.2.1
search lan.
search corp.example. . example
options timeout:2 rotate
options timeout:3
nameserver
`;
const NODE: NodeDns = { resolvConf: OWN, clusterServers: [] };
const CLUSTER: NodeDns = { ...NODE, clusterServers: ['10.96.0.10'] };

function textOf(spec: object, node = NODE): string {
	return resolvConfText(dnsConfigOf(podWith(spec), node).config);
}

const AS_NODE = 'search corp.example example\nnameserver 192.0.2.1\noptions timeout:3 rotate\n';
const AS_CLUSTER =
	'search ns.svc.cluster.local svc.cluster.local cluster.local corp.example example\nnameserver 10.96.0.10\noptions ndots:5\n';

const CASES: readonly (readonly [title: string, spec: object, node: NodeDns, text: string])[] = [
	['Default', { dnsPolicy: 'Default' }, CLUSTER, AS_NODE],
	['ClusterFirst without cluster DNS', { dnsPolicy: 'ClusterFirst' }, NODE, AS_NODE],
	['ClusterFirst', { dnsPolicy: 'ClusterFirst' }, CLUSTER, AS_CLUSTER],
	['no policy', {}, CLUSTER, AS_CLUSTER],
	[
		'ClusterFirst in the network of the node',
		{ dnsPolicy: 'ClusterFirst', hostNetwork: true },
		CLUSTER,
		AS_NODE,
	],
	[
		'ClusterFirstWithHostNet',
		{ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
		CLUSTER,
		AS_CLUSTER,
	],
	[
		'ClusterFirstWithHostNet without cluster DNS',
		{ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
		NODE,
		AS_NODE,
	],
	[
		'None',
		{ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a.b'] } },
		CLUSTER,
		'search a.b\nnameserver 1.1.1.1\n',
	],
];

for (const [title, spec, node, text] of CASES) {
	test(`the name resolution with the policy ${title}`, () => assert.equal(textOf(spec, node), text));
}

test('what the Pod configures is added, without duplicates, and its options win', () => {
	const dnsConfig = {
		nameservers: ['192.0.2.1', '192.0.2.2'],
		searches: ['example', 'more.example'],
		options: [{ name: 'timeout', value: '1' }, { name: 'edns0' }, { name: 'rotate', value: '' }],
	};
	assert.equal(
		textOf({ dnsPolicy: 'Default', dnsConfig }),
		'search corp.example example more.example\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions timeout:1 rotate edns0\n',
	);
});

test('name servers beyond the third are left out, and an Event says so', () => {
	const { config, events } = dnsConfigOf(
		podWith({ dnsConfig: { nameservers: ['192.0.2.2', '192.0.2.3', '192.0.2.4'] } }),
		NODE,
	);
	assert.deepEqual(config.servers, ['192.0.2.1', '192.0.2.2', '192.0.2.3']);
	assert.deepEqual(events, [
		{
			...{ type: 'Warning', reason: 'DNSConfigForming' },
			message:
				'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.0.2.1 192.0.2.2 192.0.2.3',
		},
	]);
});

test('search paths beyond the limits of number and length are left out, and an Event says so', () => {
	const searchesOf = (searches: readonly string[]) => {
		const { config, events } = dnsConfigOf(podWith({ dnsPolicy: 'None', dnsConfig: { searches } }), NODE);
		for (const { message } of events)
			assert.equal(
				message,
				`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${config.searches.join(' ')}`,
			);
		return { count: config.searches.length, isTold: events.length === 1 };
	};
	const names = (count: number, length: number) =>
		Array.from({ length: count }, (_, index) => String(index).padStart(length, 'a'));
	assert.deepEqual(searchesOf(names(32, 2)), { count: 32, isTold: false });
	assert.deepEqual(searchesOf(names(33, 2)), { count: 32, isTold: true });
	assert.deepEqual(searchesOf(['a'.repeat(254), 'b']), { count: 1, isTold: true });
	// 8 × 253 characters and 7 blanks are 2031.
	assert.deepEqual(searchesOf([...names(8, 253), 'a'.repeat(16)]), { count: 9, isTold: false });
	assert.deepEqual(searchesOf([...names(8, 253), 'a'.repeat(17)]), { count: 8, isTold: true });
});

test('a Pod resolves as its node unless it says otherwise, or there is a cluster DNS', () => {
	assert.equal(resolvesAsNode(podWith({}), []), true);
	assert.equal(resolvesAsNode(podWith({}), ['10.96.0.10']), false);
	assert.equal(resolvesAsNode(podWith({ dnsPolicy: 'Default' }), ['10.96.0.10']), true);
	assert.equal(resolvesAsNode(podWith({ dnsPolicy: 'None' }), []), false);
	assert.equal(
		resolvesAsNode(podWith({ dnsConfig: { options: [{ name: 'ndots', value: '1' }] } }), []),
		false,
	);
});
