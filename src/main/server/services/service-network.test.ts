import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodNetworkTrait } from '../../../api/contract/runtime-traits.ts';
import { addressRangeOf } from '../../../plan/services/allocation/ranges.ts';
import { podAccess } from './service-network.ts';

const DNS = '10.96.0.10';

/** How Pods with this network find names, and the API server. */
function accessOf(
	podNetwork: PodNetworkTrait,
	{ local, dnsAddresses }: { readonly local?: string; readonly dnsAddresses?: readonly string[] },
) {
	const range = addressRangeOf('10.96.0.0/16');
	assert(range);
	const { clusterDns, apiServerUrl } = podAccess({
		services: { range, ...(local !== undefined && { local }) },
		agents: new Map([['node', { runtimeTraits: { podNetwork } }]]),
		network: { current: dnsAddresses && { dnsAddresses } },
		endpoint: { url: 'https://127.0.0.1:6443' },
	});
	return [clusterDns(), apiServerUrl('pod')];
}

test('Pods with networks of their own use the DNS server if its address leads to this machine', () => {
	const [own, reached] = [{ kind: 'pod' } as const, { local: '10.96.0.0/16' }];
	const service = 'https://10.96.0.1';
	assert.deepEqual(accessOf(own, reached), [[DNS], service], 'also before it runs');
	assert.deepEqual(accessOf(own, { ...reached, dnsAddresses: [DNS] }), [[DNS], service]);
	assert.deepEqual(accessOf(own, { dnsAddresses: [DNS] }), [[], 'https://127.0.0.1:6443']);
});

test('Pods with the network of this machine use the DNS server once it runs', () => {
	const host = { kind: 'host' } as const;
	assert.deepEqual(accessOf(host, {})[0], []);
	assert.deepEqual(accessOf(host, { dnsAddresses: [DNS] })[0], [DNS]);
});
