import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoints } from '../../../api/core/endpoints/schema.ts';
import { serviceWith } from '../../../api/core/service/testing/service-with.ts';
import type { EndpointSlice } from '../../../api/discovery/endpointslice/schema.ts';
import { planMirror } from './plan-mirror.ts';

const service = serviceWith({ ports: [{ port: 80 }] });
const PORTS = [{ port: 80, protocol: 'TCP' }] as const;

function endpointsOf(subsets: Endpoints['subsets'], metadata: object = {}): Endpoints {
	return {
		apiVersion: 'v1',
		kind: 'Endpoints',
		metadata: { name: 'web', namespace: 'default', uid: 'e', ...metadata },
		...(subsets && { subsets }),
	};
}

const BOTH = endpointsOf(
	[
		{
			addresses: [{ ip: '10.0.0.1', hostname: 'h', nodeName: 'here' }, { ip: 'fd00::1' }],
			notReadyAddresses: [{ ip: '10.0.0.2' }],
			ports: PORTS,
		},
	],
	{
		labels: { a: 'b' },
		annotations: { mine: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
	},
);

function mirrored(endpoints: Endpoints = BOTH): readonly EndpointSlice[] {
	return planMirror({ endpoints, service, slices: [] }).create.map((slice, index) => ({
		...slice,
		metadata: { ...slice.metadata, name: `web-${index}`, uid: `s${index}`, resourceVersion: '1' },
	}));
}

test('each family of a subset becomes a slice with the labels and annotations of the Endpoints', () => {
	const [four, six] = mirrored();
	assert.ok(four && six);
	assert.deepEqual([four.addressType, six.addressType], ['IPv4', 'IPv6']);
	assert.deepEqual(four.endpoints, [
		{ addresses: ['10.0.0.1'], conditions: { ready: true }, hostname: 'h', nodeName: 'here' },
		{ addresses: ['10.0.0.2'], conditions: { ready: false } },
	]);
	assert.deepEqual(four.ports, [{ name: '', port: 80, protocol: 'TCP' }]);
	assert.deepEqual(four.metadata.labels, {
		a: 'b',
		'kubernetes.io/service-name': 'web',
		'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
	});
	assert.deepEqual(four.metadata.annotations, { mine: 'x' });
	assert.equal(four.metadata.ownerReferences?.[0]?.kind, 'Endpoints');
});

test('nothing is written without a reason, and a change updates the slice in place', () => {
	const slices = mirrored();
	const nothing = { create: [], update: [], remove: [], events: [] };
	assert.deepEqual(planMirror({ endpoints: BOTH, service, slices }), nothing);
	const relabelled = { ...BOTH, metadata: { ...BOTH.metadata, labels: { a: 'c' } } };
	assert.equal(planMirror({ endpoints: relabelled, service, slices }).update.length, 2);
	const recreated = { ...BOTH, metadata: { ...BOTH.metadata, uid: 'f' } };
	assert.equal(planMirror({ endpoints: recreated, service, slices }).update.length, 2);
	const moved = endpointsOf([{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 81, protocol: 'TCP' }] }]);
	const { create, update, remove } = planMirror({ endpoints: moved, service, slices });
	assert.deepEqual([create.length, update.length, remove.length], [0, 1, 1]);
	assert.deepEqual([update[0]?.metadata.name, update[0]?.ports[0]?.port], ['web-0', 81]);
});

test('Endpoints that others care for are not mirrored, and their slices are removed', () => {
	const slices = mirrored();
	const skipped = endpointsOf(BOTH.subsets, {
		labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
	});
	const leader = endpointsOf(BOTH.subsets, {
		annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' },
	});
	const selecting = serviceWith({ ports: [{ port: 80 }], selector: { a: 'b' } });
	for (const snapshot of [
		{ endpoints: undefined, service },
		{ endpoints: BOTH, service: undefined },
		{ endpoints: BOTH, service: selecting },
		{ endpoints: skipped, service },
		{ endpoints: leader, service },
	]) {
		const { create, update, remove } = planMirror({ ...snapshot, slices });
		assert.deepEqual([create, update, remove], [[], [], slices]);
	}
});

test('at most 1000 addresses of a subset are mirrored, with an event', () => {
	const addresses = Array.from({ length: 1002 }, (_, index) => ({ ip: `10.0.${index >> 8}.${index & 255}` }));
	const { create, events } = planMirror({
		endpoints: endpointsOf([{ addresses, ports: PORTS }]),
		service,
		slices: [],
	});
	assert.equal(create[0]?.endpoints.length, 1000);
	assert.deepEqual(events, [
		{
			type: 'Warning',
			reason: 'TooManyAddressesToMirror',
			message:
				'A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 2 addresses were skipped',
		},
	]);
});
