import assert from 'node:assert/strict';
import test from 'node:test';
import { hostNamesOf } from './host-names.ts';

const NOTHING = { clusterIP: undefined, externalName: undefined, ports: [], endpoints: [] };

test('a Pod finds Services by the names that its search list completes', () => {
	const services = [
		{ ...NOTHING, namespace: 'a', name: 'queue', clusterIP: '127.70.0.5' },
		{ ...NOTHING, namespace: 'b', name: 'web', clusterIP: '127.70.0.6' },
		{ ...NOTHING, namespace: 'a', name: 'alias', externalName: 'example.com' },
		{
			...NOTHING,
			...{ namespace: 'a', name: 'peers' },
			endpoints: [{ address: '127.0.0.1', hostname: 'job-0', ports: [] }],
		},
	];
	const lines = hostNamesOf(services, { namespace: 'a', domain: 'cluster.local' });
	assert.deepEqual(
		lines.map(({ address, names }) => `${address} ${names.join(' ')}`),
		[
			'127.70.0.5 queue.a.svc.cluster.local queue.a.svc queue.a queue',
			'127.70.0.6 web.b.svc.cluster.local web.b.svc web.b',
			'127.0.0.1 job-0.peers.a.svc.cluster.local job-0.peers.a.svc job-0.peers.a job-0.peers peers.a.svc.cluster.local peers.a.svc peers.a peers',
		],
	);
});
