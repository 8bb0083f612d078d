import assert from 'node:assert/strict';
import test from 'node:test';
import type { Service } from '../../api/core/service/schema.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { proxiedPortsOf } from './proxied-ports.ts';
import { servicesWithSlices } from './service-endpoints.ts';

function service(spec: Partial<Service['spec']>, labels: Readonly<Record<string, string>> = {}): Service {
	return {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { namespace: 'ns', name: 'web', labels },
		spec: { clusterIP: '10.96.0.5', type: 'ClusterIP', ports: [{ port: 80, targetPort: 8080 }], ...spec },
		status: { loadBalancer: {} },
	};
}

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

function slice(endpoints: readonly Endpoint[], fields: Partial<EndpointSlice> = {}): EndpointSlice {
	return {
		apiVersion: 'discovery.k8s.io/v1',
		kind: 'EndpointSlice',
		metadata: { namespace: 'ns', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
		addressType: 'IPv4',
		endpoints,
		ports: [{ name: '', port: 8080, protocol: 'TCP' }],
		...fields,
	};
}

function endpoint(address: string, conditions: Endpoint['conditions'] = { ready: true }): Endpoint {
	return { addresses: [address], conditions };
}

/** The ports as text: `TCP 10.96.0.5:80 -> 10.244.0.2:8080`. */
function ports(one: Service, ...slices: readonly EndpointSlice[]): readonly string[] {
	return proxiedPortsOf(servicesWithSlices([one], slices), ['127.0.0.1', '10.96.255.255']).map(
		({ protocol, address, port, targets, affinitySeconds }) => {
			const to = targets.map((target) => `${target.address}:${target.port}`).join(' ');
			return `${protocol} ${address}:${port} -> ${to}${affinitySeconds === undefined ? '' : ` for ${affinitySeconds}`}`;
		},
	);
}

test('a port leads to the ready endpoints of all slices, each once', () => {
	const first = slice([endpoint('10.244.0.2'), endpoint('10.244.0.3', { ready: false, serving: false })]);
	const second = slice([endpoint('10.244.0.2'), endpoint('10.244.0.4', {})]);
	assert.deepEqual(ports(service({}), first, second), [
		'TCP 10.96.0.5:80 -> 10.244.0.2:8080 10.244.0.4:8080',
	]);
});

test('only if none is ready, endpoints that end but still serve get connections', () => {
	const ending = endpoint('10.244.0.9', { ready: false, serving: true, terminating: true });
	const ended = endpoint('10.244.0.8', { ready: false, serving: false, terminating: true });
	assert.deepEqual(ports(service({}), slice([ending, ended])), ['TCP 10.96.0.5:80 -> 10.244.0.9:8080']);
	assert.deepEqual(ports(service({}), slice([ending, endpoint('10.244.0.2')])), [
		'TCP 10.96.0.5:80 -> 10.244.0.2:8080',
	]);
});

test('ports are matched by name and protocol; a node port leads to the same endpoints', () => {
	const spec = {
		type: 'NodePort' as const,
		ports: [
			{ name: 'web', port: 80, protocol: 'TCP' as const, targetPort: 'http', nodePort: 30080 },
			{ name: 'dns', port: 53, protocol: 'UDP' as const, targetPort: 5353 },
			{ name: 'none', port: 1, protocol: 'SCTP' as const, targetPort: 1 },
		],
	};
	const found = slice([endpoint('10.244.0.2')], {
		ports: [
			{ name: 'dns', port: 5353, protocol: 'UDP' },
			{ name: 'web', port: 8080, protocol: 'TCP' },
		],
	});
	assert.deepEqual(ports(service(spec), found), [
		'TCP 10.96.0.5:80 -> 10.244.0.2:8080',
		'TCP 127.0.0.1:30080 -> 10.244.0.2:8080',
		'TCP 10.96.255.255:30080 -> 10.244.0.2:8080',
		'UDP 10.96.0.5:53 -> 10.244.0.2:5353',
	]);
});

test('session affinity has its time, three hours by default', () => {
	const sticky = { sessionAffinity: 'ClientIP' as const };
	const config = { sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } };
	assert.deepEqual(ports(service(sticky), slice([])), ['TCP 10.96.0.5:80 ->  for 10800']);
	assert.deepEqual(ports(service({ ...sticky, ...config }), slice([])), ['TCP 10.96.0.5:80 ->  for 60']);
});

test('nothing is forwarded for a Service without an address, or of another proxy', () => {
	for (const spec of [{ clusterIP: 'None' }, { clusterIP: '' }, { type: 'ExternalName' as const }])
		assert.deepEqual(ports(service(spec), slice([endpoint('10.244.0.2')])), []);
	assert.deepEqual(ports(service({}, { 'service.kubernetes.io/service-proxy-name': 'mine' }), slice([])), []);
});

test('slices of other namespaces, other Services and other families of addresses are not used', () => {
	const labels = { 'kubernetes.io/service-name': 'web' };
	const others = [
		slice([endpoint('10.244.0.2')], { metadata: { namespace: 'other', name: 'a', labels } }),
		slice([endpoint('10.244.0.3')], { metadata: { namespace: 'ns', name: 'b' } }),
		slice([endpoint('fd00::1')], { addressType: 'IPv6' }),
	];
	assert.deepEqual(ports(service({}), ...others), ['TCP 10.96.0.5:80 -> ']);
});

test('an endpoint that is a forwarded port itself is left out', () => {
	const own = slice([endpoint('10.96.0.5'), endpoint('10.244.0.2')], {
		ports: [{ name: '', port: 80, protocol: 'TCP' }],
	});
	assert.deepEqual(ports(service({}), own), ['TCP 10.96.0.5:80 -> 10.244.0.2:80']);
	const node = { type: 'NodePort' as const, ports: [{ port: 80, targetPort: 30080, nodePort: 30080 }] };
	const byNode = slice([endpoint('127.0.0.1')], { ports: [{ name: '', port: 30080, protocol: 'TCP' }] });
	assert.deepEqual(ports(service(node), byNode), [
		'TCP 10.96.0.5:80 -> ',
		'TCP 127.0.0.1:30080 -> ',
		'TCP 10.96.255.255:30080 -> ',
	]);
});
