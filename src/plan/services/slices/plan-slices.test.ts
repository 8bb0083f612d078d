import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import { serviceWith } from '../../../api/core/service/testing/service-with.ts';
import { endpointSlices } from '../../../api/discovery/endpointslice/definition.ts';
import type { EndpointSlice } from '../../../api/discovery/endpointslice/schema.ts';
import { endpointPod, nodeHere } from '../testing/endpoint-pod.ts';
import { MAX_ENDPOINTS_PER_SLICE, type SliceChanges } from './fill-slices.ts';
import { planSlices } from './plan-slices.ts';

const SPEC = {
	clusterIP: '127.96.0.9',
	clusterIPs: ['127.96.0.9'],
	ipFamilies: ['IPv4'],
	selector: { app: 'x' },
	ports: [{ port: 80, targetPort: 'http' }],
};

function plan(service: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []) {
	return planSlices({ service, pods, slices, nodeNamed: nodeHere });
}

/** The stored slices after the changes. */
function applied(
	slices: readonly EndpointSlice[],
	changes: SliceChanges,
	serial: { next: number },
): readonly EndpointSlice[] {
	const stored = new Map(slices.map((slice) => [slice.metadata.name, slice]));
	for (const { metadata } of changes.remove) stored.delete(metadata.name);
	for (const slice of changes.update) {
		assert.ok(stored.has(slice.metadata.name), 'only stored slices are updated');
		stored.set(slice.metadata.name, slice);
	}
	for (const slice of changes.create) {
		const { generateName: prefix = '', ...metadata } = slice.metadata;
		const name = `${prefix}${serial.next++}`;
		stored.set(name, { ...slice, metadata: { ...metadata, name, uid: name, resourceVersion: '1' } });
	}
	return [...stored.values()];
}

test('a slice has the Pods with their conditions, and the labels of the Service', () => {
	const service = serviceWith(
		SPEC,
		{},
		{ labels: { tier: 'front', 'kubernetes.io/service-name': 'forged' } },
	);
	const pods = [
		endpointPod('a', { spec: { hostname: 'h', subdomain: 'web' } }),
		endpointPod('b', { ready: false }),
		endpointPod('c', { terminating: true }),
		endpointPod('d', { phase: 'Failed' }),
	];
	const { create, update, remove } = plan(service, pods);
	assert.deepEqual([create.length, update.length, remove.length], [1, 0, 0]);
	const [slice] = create;
	assert.ok(slice);
	assert.deepEqual(
		endpointSlices.strategy.validateCreate({ ...slice, metadata: { ...slice.metadata, name: 'n' } }),
		[],
	);
	assert.deepEqual(slice.metadata.labels, {
		tier: 'front',
		'kubernetes.io/service-name': 'web',
		'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
	});
	assert.equal(slice.metadata.generateName, 'web-');
	assert.deepEqual(slice.metadata.ownerReferences, [
		{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: 'u', controller: true, blockOwnerDeletion: true },
	]);
	assert.deepEqual(slice.ports, [{ name: '', port: 8080, protocol: 'TCP' }]);
	const common = { addresses: ['127.0.0.1'], nodeName: 'here', zone: 'z' };
	const ref = (name: string): object => ({ kind: 'Pod', namespace: 'default', name, uid: `uid-${name}` });
	assert.deepEqual(slice.endpoints, [
		{
			...common,
			hostname: 'h',
			targetRef: ref('a'),
			conditions: { ready: true, serving: true, terminating: false },
		},
		{ ...common, targetRef: ref('b'), conditions: { ready: false, serving: false, terminating: false } },
		{ ...common, targetRef: ref('c'), conditions: { ready: false, serving: true, terminating: true } },
	]);
	const published = plan(serviceWith({ ...SPEC, publishNotReadyAddresses: true }), pods).create[0];
	assert.deepEqual(
		published?.endpoints.map(({ conditions }) => conditions?.ready),
		[true, true, true],
	);
});

test('a Service without Pods has one empty slice, which the first Pod fills', () => {
	const service = serviceWith({ ...SPEC, clusterIP: 'None', clusterIPs: ['None'] });
	const serial = { next: 0 };
	const empty = applied([], plan(service, []), serial);
	assert.deepEqual([empty.length, empty[0]?.endpoints, empty[0]?.ports], [1, [], []]);
	assert.equal(empty[0]?.metadata.labels?.['service.kubernetes.io/headless'], '');
	assert.deepEqual(plan(service, [], empty), { create: [], update: [], remove: [], problems: [] });
	const next = plan(service, [endpointPod('a')], empty);
	assert.deepEqual([next.create, next.remove, next.update.length], [[], [], 1]);
	assert.equal(next.update[0]?.metadata.name, empty[0]?.metadata.name);
	assert.equal(next.update[0]?.metadata.resourceVersion, '1');
	const back = plan(service, [], applied(empty, next, serial));
	assert.deepEqual([back.create, back.remove, back.update[0]?.endpoints], [[], [], []]);
});

test('slices of an earlier Service of the name and of other families are removed', () => {
	const service = serviceWith(SPEC);
	const [own] = applied([], plan(serviceWith(SPEC, {}, { uid: 'old' }), [endpointPod('a')]), { next: 0 });
	assert.ok(own);
	const foreign = plan(service, [endpointPod('a')], [own]);
	assert.deepEqual([foreign.create.length, foreign.remove], [1, [own]]);
	const [mine] = applied([], plan(service, [endpointPod('a')]), { next: 0 });
	assert.ok(mine);
	const other: EndpointSlice = { ...mine, addressType: 'IPv6' };
	assert.deepEqual(
		plan(service, [endpointPod('a')], [mine, { ...other, metadata: { ...other.metadata, name: 'six' } }])
			.remove.length,
		1,
	);
	const deleted = serviceWith(SPEC, {}, { deletionTimestamp: '2026-01-31T08:00:00Z' });
	assert.deepEqual(plan(deleted, [endpointPod('a')]).create, []);
	for (const spec of [{ ports: [{ port: 80 }] }, { type: 'ExternalName', externalName: 'a.b' }]) {
		assert.deepEqual(plan(serviceWith(spec), [endpointPod('a')], [own]).remove, []);
	}
});

test('a Pod whose Node is missing is left out and reported, unless the Service publishes all addresses', () => {
	const lost = endpointPod('a', { spec: { nodeName: 'gone' } });
	const { create, problems } = plan(serviceWith(SPEC), [lost]);
	assert.deepEqual(problems, ['skipping Pod a for Service default/web: Node gone Not Found']);
	assert.deepEqual(create[0]?.endpoints, []);
	const published = plan(serviceWith({ ...SPEC, publishNotReadyAddresses: true }), [lost]);
	assert.deepEqual([published.problems, published.create[0]?.endpoints.length], [[], 1]);
});

test('hints follow trafficDistribution, and changes of it reach slices that do not change otherwise', () => {
	const pods = [endpointPod('a'), endpointPod('b', { ready: false })];
	const hintsOf = (slices: readonly EndpointSlice[]): unknown =>
		slices.flatMap(({ endpoints }) => endpoints.map(({ hints }) => hints));
	const plain = applied([], plan(serviceWith(SPEC), pods), { next: 0 });
	assert.deepEqual(hintsOf(plain), [undefined, undefined]);
	const zone = plan(serviceWith({ ...SPEC, trafficDistribution: 'PreferClose' }), pods, plain);
	assert.deepEqual(hintsOf(zone.update), [{ forZones: [{ name: 'z' }] }, undefined]);
	const node = serviceWith({ ...SPEC, trafficDistribution: 'PreferSameNode' });
	const both = { forZones: [{ name: 'z' }], forNodes: [{ name: 'here' }] };
	assert.deepEqual(hintsOf(plan(node, pods, plain).update), [both, undefined]);
	const hinted = applied(plain, zone, { next: 9 });
	assert.deepEqual(hintsOf(plan(serviceWith(SPEC), pods, hinted).update), [undefined, undefined]);
});

test('100 endpoints fit into a slice, and few changes write few slices', () => {
	const pods = (count: number): readonly Pod[] =>
		Array.from({ length: count }, (_, i) => endpointPod(`p${i}`));
	const service = serviceWith(SPEC);
	const serial = { next: 0 };
	const stored = applied([], plan(service, pods(250)), serial);
	assert.deepEqual(
		stored.map(({ endpoints }) => endpoints.length),
		[100, 100, 50],
	);
	const more = plan(service, pods(290), stored);
	assert.deepEqual([more.create.length, more.update.length, more.remove.length], [0, 1, 0]);
	const labelled = serviceWith(SPEC, {}, { labels: { tier: 'front' } });
	assert.equal(plan(labelled, pods(250), stored).update.length, 3);
});

interface PodState {
	readonly ready: boolean;
	readonly terminating: boolean;
	readonly isNamed: boolean;
	readonly phase: string;
}

const states: fc.Arbitrary<readonly (readonly (PodState | undefined)[])[]> = fc.array(
	fc.array(
		fc.option(
			fc.record({
				ready: fc.boolean(),
				terminating: fc.boolean(),
				isNamed: fc.boolean(),
				phase: fc.constantFrom('Running', 'Running', 'Running', 'Succeeded'),
			}),
			{ nil: undefined },
		),
		{ maxLength: 320, size: 'max' },
	),
	{ maxLength: 4 },
);

test('after each plan every member is in exactly one slice, no slice is too large, and a second plan is empty', () => {
	const service = serviceWith(SPEC);
	const property = fc.property(states, (history) => {
		const serial = { next: 0 };
		let slices: readonly EndpointSlice[] = [];
		for (const list of history) {
			const pods = list.flatMap((state, index) => (state ? podIn(`p${index}`, state) : []));
			slices = applied(slices, plan(service, pods, slices), serial);
			const placed = slices.flatMap(({ endpoints }) => endpoints.map(({ targetRef }) => targetRef?.name));
			const members = pods
				.filter(({ status }) => status.phase === 'Running')
				.map(({ metadata }) => metadata.name);
			assert.deepEqual(placed.toSorted(), members.toSorted());
			for (const { endpoints } of slices) assert.ok(endpoints.length <= MAX_ENDPOINTS_PER_SLICE);
			assert.ok(slices.length > 0);
			const again = plan(service, pods, slices);
			assert.deepEqual([again.create, again.update, again.remove], [[], [], []]);
		}
	});
	fc.assert(property, { numRuns: 40 });
});

/** A Pod whose port has the name that the Service asks for, or which lacks it. */
function podIn(name: string, { ready, terminating, isNamed, phase }: PodState): Pod {
	const containers = [{ name: 'c', image: 'i' }];
	return endpointPod(name, { ready, terminating, phase, ...(!isNamed && { spec: { containers } }) });
}
