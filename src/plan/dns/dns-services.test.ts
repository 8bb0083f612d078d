import assert from 'node:assert/strict';
import test from 'node:test';
import type { Service } from '../../api/core/service/schema.ts';
import type { EndpointSlice } from '../../api/discovery/endpointslice/schema.ts';
import { servicesWithSlices } from '../service-proxy/service-endpoints.ts';
import { dnsServicesOf } from './dns-services.ts';

function service(name: string, spec: Partial<Service['spec']>): Service {
	return {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { namespace: 'ns', name },
		spec: { ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
		status: { loadBalancer: {} },
	};
}

const SLICE: EndpointSlice = {
	apiVersion: 'discovery.k8s.io/v1',
	kind: 'EndpointSlice',
	metadata: { namespace: 'ns', name: 'x', labels: { 'kubernetes.io/service-name': 'peers' } },
	addressType: 'IPv4',
	endpoints: [
		{ addresses: ['10.244.0.5'], hostname: 'job-0', conditions: { ready: true } },
		{ addresses: ['10.244.0.6'], conditions: { ready: false } },
	],
	ports: [
		{ name: 'http', port: 8080, protocol: 'TCP' },
		{ port: 9, protocol: 'TCP' },
	],
};

test('DNS tells the address, the alias or the ready endpoints of a Service', () => {
	const services = [
		service('peers', { clusterIP: 'None' }),
		service('away', { type: 'ExternalName', externalName: 'example.com' }),
		service('web', { clusterIP: '10.96.0.5' }),
	];
	const nothing = {
		namespace: 'ns',
		clusterIP: undefined,
		externalName: undefined,
		ports: [],
		endpoints: [],
	};
	const ports = [{ name: 'http', protocol: 'tcp', port: 8080 }];
	assert.deepEqual(dnsServicesOf(servicesWithSlices(services, [SLICE])), [
		{ ...nothing, name: 'away', externalName: 'example.com' },
		{ ...nothing, name: 'peers', endpoints: [{ address: '10.244.0.5', hostname: 'job-0', ports }] },
		{ ...nothing, name: 'web', clusterIP: '10.96.0.5', ports: [{ ...ports[0], port: 80 }] },
	]);
});
