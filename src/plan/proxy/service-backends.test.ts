import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoints } from '../../api/core/endpoints/schema.ts';
import { serviceWith } from '../../api/core/service/testing/service-with.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { proxiedName } from './proxied-name.ts';
import { isSliceOf, type ServiceBackend, serviceBackends } from './service-backends.ts';

const service = serviceWith({
	ports: [
		{ name: 'web', port: 80, targetPort: 8080 },
		{ name: 'admin', port: 81, targetPort: 8081 },
	],
});

const namespace = 'default';

type Endpoint = EndpointSlice['endpoints'][number];

function sliceOf(endpoints: readonly Endpoint[], ports: EndpointSlice['ports']): EndpointSlice {
	const metadata = { name: 'web-1', namespace, labels: { 'kubernetes.io/service-name': 'web' } };
	return {
		...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata },
		...{ addressType: 'IPv4', endpoints, ports },
	};
}

const PORTS = [
	{ name: 'web', port: 8080 },
	{ name: 'admin', port: 8081 },
];

function endpoint(name: string, ip: string, more: Partial<Endpoint> = {}): Endpoint {
	return { addresses: [ip], conditions: {}, targetRef: { kind: 'Pod', namespace, name }, ...more };
}

function backendsFor(id: string, slices: readonly EndpointSlice[], endpoints?: Endpoints) {
	const named = proxiedName(id);
	assert.ok(named);
	const found = serviceBackends({ service, slices, endpoints }, named);
	return found.type === 'refused' ? found.why : found.backends;
}

test('the port of a Service leads to that of its endpoints, by number or by name', () => {
	const slices = [sliceOf([endpoint('p', '10.0.0.1')], PORTS)];
	const at = (port: number): readonly ServiceBackend[] => [{ address: '10.0.0.1', port, pod: 'p' }];
	assert.deepEqual(backendsFor('web:80', slices), at(8080));
	assert.deepEqual(backendsFor('https:web:admin', slices), at(8081));
	assert.deepEqual(backendsFor('web', slices), []);
	assert.equal(backendsFor('web:82', slices), 'no service port 82 found for service "web"');
	assert.equal(backendsFor('web:x', slices), 'no service port "x" found for service "web"');
});

test('only ready endpoints count, and only Pods of the namespace have a name', () => {
	const endpoints = [
		endpoint('ready', '10.0.0.1', { conditions: { ready: true } }),
		endpoint('unready', '10.0.0.2', { conditions: { ready: false } }),
		endpoint('other', '10.0.0.3', { targetRef: { kind: 'Pod', namespace: 'other', name: 'p' } }),
		endpoint('node', '10.0.0.4', { targetRef: { kind: 'Node', name: 'n' } }),
		{ addresses: ['10.0.0.5'], conditions: {} },
	];
	assert.deepEqual(backendsFor('web:80', [sliceOf(endpoints, PORTS)]), [
		{ address: '10.0.0.1', port: 8080, pod: 'ready' },
		{ address: '10.0.0.3', port: 8080, pod: undefined },
		{ address: '10.0.0.4', port: 8080, pod: undefined },
		{ address: '10.0.0.5', port: 8080, pod: undefined },
	]);
	assert.deepEqual(
		backendsFor('web:80', [sliceOf(endpoints, [{ name: 'web', port: 1, protocol: 'UDP' }])]),
		[],
	);
});

test('without slices, Endpoints are used', () => {
	const targetRef = { kind: 'Pod', namespace, name: 'p' };
	const addresses = [{ ip: '10.0.0.1', targetRef }];
	const notReadyAddresses = [{ ip: '10.0.0.2', targetRef }];
	const object: Endpoints = {
		...{ apiVersion: 'v1', kind: 'Endpoints', metadata: { name: 'web', namespace } },
		subsets: [{ addresses, notReadyAddresses, ports: PORTS }, { ports: PORTS }],
	};
	assert.deepEqual(backendsFor('web:81', [], object), [{ address: '10.0.0.1', port: 8081, pod: 'p' }]);
	assert.equal(backendsFor('web:81', []), 'no endpoints available for service "web"');
});

test('a slice belongs to the Service that its label names', () => {
	const slice = sliceOf([], []);
	assert.deepEqual([isSliceOf(slice, 'web'), isSliceOf(slice, 'web-1')], [true, false]);
});
