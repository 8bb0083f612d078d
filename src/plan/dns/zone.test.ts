import assert from 'node:assert/strict';
import test from 'node:test';
import { type DnsService, dnsAnswerOf, dnsZoneOf } from './zone.ts';

function service(name: string, more: Partial<DnsService>): DnsService {
	return {
		...{
			namespace: 'default',
			name,
			clusterIP: undefined,
			externalName: undefined,
			ports: [],
			endpoints: [],
		},
		...more,
	};
}

const HTTP = { name: 'http', protocol: 'tcp', port: 8080 };
const ZONE = dnsZoneOf(
	'cluster.local',
	[
		service('queue', { clusterIP: '10.96.0.7', ports: [HTTP] }),
		service('away', { externalName: 'db.example.com.' }),
		service('peers', {
			endpoints: [
				{ address: '10.244.0.5', hostname: 'job-0', ports: [HTTP] },
				{ address: '10.244.0.6', hostname: undefined, ports: [{ ...HTTP, port: 9090 }] },
			],
		}),
		service('empty', {}),
	],
	['default'],
);

/** The answer as text: the code if it is an error, else the records. */
function ask(name: string, type = 'A'): unknown {
	const answer = dnsAnswerOf(ZONE, name, type);
	return answer?.code === 'NOERROR'
		? answer.records.map(({ type: _, ...rest }) => Object.values(rest).join(' '))
		: answer?.code;
}

test('a Service has its ClusterIP, the ports and the reverse name', () => {
	assert.deepEqual(ask('queue.default.svc.cluster.local'), ['10.96.0.7']);
	assert.deepEqual(ask('QUEUE.default.svc.Cluster.local.'), ['10.96.0.7']);
	assert.deepEqual(ask('_http._tcp.queue.default.svc.cluster.local', 'SRV'), [
		'8080 queue.default.svc.cluster.local',
	]);
	assert.deepEqual(ask('7.0.96.10.in-addr.arpa', 'PTR'), ['queue.default.svc.cluster.local']);
});

test('a headless Service has its endpoints, each with a name of its own', () => {
	assert.deepEqual(ask('peers.default.svc.cluster.local'), ['10.244.0.5', '10.244.0.6']);
	assert.deepEqual(ask('job-0.peers.default.svc.cluster.local'), ['10.244.0.5']);
	assert.deepEqual(ask('10-244-0-6.peers.default.svc.cluster.local'), ['10.244.0.6']);
	assert.deepEqual(ask('_http._tcp.peers.default.svc.cluster.local', 'SRV'), [
		'8080 job-0.peers.default.svc.cluster.local',
		'9090 10-244-0-6.peers.default.svc.cluster.local',
	]);
	assert.deepEqual(ask('6.0.244.10.in-addr.arpa', 'PTR'), ['10-244-0-6.peers.default.svc.cluster.local']);
	assert.equal(ask('empty.default.svc.cluster.local'), 'NXDOMAIN', 'as CoreDNS, while nothing is ready');
});

test('an ExternalName is an alias for all types', () => {
	for (const type of ['A', 'AAAA'])
		assert.deepEqual(ask('away.default.svc.cluster.local', type), ['db.example.com']);
});

test('names that exist without a record of the type differ from names that do not exist', () => {
	assert.deepEqual(ask('queue.default.svc.cluster.local', 'AAAA'), []);
	for (const parent of [
		'cluster.local',
		'svc.cluster.local',
		'default.svc.cluster.local',
		'_tcp.queue.default.svc.cluster.local',
	])
		assert.deepEqual(ask(parent), [], parent);
	for (const missing of [
		'none.default.svc.cluster.local',
		'queue.other.svc.cluster.local',
		'constructor.cluster.local',
	])
		assert.equal(ask(missing), 'NXDOMAIN', missing);
	for (const foreign of ['example.com', 'notcluster.local', '1.1.1.1.in-addr.arpa'])
		assert.equal(ask(foreign), undefined, foreign);
});

test('Pods have names of their addresses, in namespaces that exist', () => {
	assert.deepEqual(ask('10-244-0-9.default.pod.cluster.local'), ['10.244.0.9']);
	for (const parent of ['pod.cluster.local', 'default.pod.cluster.local'])
		assert.deepEqual(ask(parent), [], parent);
	for (const missing of [
		'10-244-0-9.none.pod.cluster.local',
		'10-244-0.default.pod.cluster.local',
		'1-2-3-256.default.pod.cluster.local',
	])
		assert.equal(ask(missing), 'NXDOMAIN', missing);
});
