import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EndpointSubset, Endpoints } from '../../../api/core/endpoints/schema.ts';
import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import { serviceWith } from '../../../api/core/service/testing/service-with.ts';
import { endpointPod } from '../testing/endpoint-pod.ts';
import { withinCapacity } from './capacity.ts';
import { isSelected } from './members.ts';
import { planEndpoints } from './plan-endpoints.ts';
import { repackSubsets } from './repack.ts';
import { triggerTimes } from './trigger-times.ts';

const SPEC = {
	clusterIP: '127.96.0.9',
	clusterIPs: ['127.96.0.9'],
	ipFamilies: ['IPv4'],
	selector: { app: 'x' },
	ports: [{ port: 80, targetPort: 'http' }],
};

function planned(spec: object, pods: readonly Pod[], endpoints?: Endpoints): Endpoints {
	const service = serviceWith({ ...SPEC, ...spec });
	const plan = planEndpoints({ service, pods, endpoints });
	assert.notEqual(plan.kind, 'keep');
	return plan.kind === 'keep' ? assert.fail() : plan.object;
}

function address(name: string, more: object = {}): object {
	const targetRef = { kind: 'Pod', namespace: 'default', name, uid: `uid-${name}` };
	return { ip: '127.0.0.1', nodeName: 'here', targetRef, ...more };
}

const HTTP = { port: 8080, protocol: 'TCP' };

test('Pods are ready or not ready addresses with the ports that they have', () => {
	const pods = [
		endpointPod('a'),
		endpointPod('b', { ready: false }),
		endpointPod('c', { phase: 'Succeeded' }),
	];
	const gone = [endpointPod('d', { terminating: true }), endpointPod('e', { ip: '' })];
	const { metadata, subsets } = planned({}, [...pods, ...gone]);
	assert.deepEqual(subsets, [
		{ addresses: [address('a')], notReadyAddresses: [address('b')], ports: [HTTP] },
	]);
	assert.deepEqual(metadata, {
		name: 'web',
		namespace: 'default',
		labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
		annotations: {},
	});
	const unready = planned({ publishNotReadyAddresses: true }, [...pods, ...gone]);
	assert.deepEqual(unready.subsets, [
		{ addresses: [address('a'), address('b'), address('d')], ports: [HTTP] },
	]);
});

test('ports by name differ between Pods, and a Pod without the port is left out', () => {
	const other = endpointPod('b', {
		spec: {
			containers: [{ name: 'c', image: 'i' }],
			initContainers: [
				{ name: 'once', image: 'i', ports: [{ name: 'http', containerPort: 1, protocol: 'TCP' }] },
				{ name: 's', image: 'i', restartPolicy: 'Always', ports: [{ name: 'http', containerPort: 9090 }] },
			],
		},
	});
	const without = endpointPod('c', { spec: { containers: [{ name: 'c', image: 'i' }] } });
	const udp = endpointPod('d', {
		spec: {
			containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 1, protocol: 'UDP' }] }],
		},
	});
	assert.deepEqual(planned({}, [endpointPod('a'), other, without, udp]).subsets, [
		{ addresses: [address('a')], ports: [HTTP] },
		{ addresses: [address('b')], ports: [{ port: 9090, protocol: 'TCP' }] },
	]);
	const two = {
		ports: [
			{ port: 80, name: 'a', appProtocol: 'h2' },
			{ port: 81, name: 'b', targetPort: 'http' },
		],
	};
	assert.deepEqual(planned(two, [without, endpointPod('a')]).subsets, [
		{
			addresses: [address('a'), address('c')],
			ports: [{ name: 'a', port: 80, protocol: 'TCP', appProtocol: 'h2' }],
		},
		{ addresses: [address('a')], ports: [{ name: 'b', port: 8080, protocol: 'TCP' }] },
	]);
});

test('a headless Service needs no ports, has a label, and its Pods host names', () => {
	const named = endpointPod('a', { spec: { hostname: 'h', subdomain: 'web' } });
	const other = endpointPod('b', { spec: { hostname: 'h', subdomain: 'else' } });
	const { metadata, subsets } = planned({ clusterIP: 'None', clusterIPs: ['None'], ports: [] }, [
		named,
		other,
	]);
	assert.deepEqual(subsets, [{ addresses: [address('a', { hostname: 'h' }), address('b')] }]);
	assert.equal(metadata.labels?.['service.kubernetes.io/headless'], '');
});

test('nothing is written without a reason, and annotations of others are kept', () => {
	const service = serviceWith(SPEC, {}, { labels: { tier: 'front' } });
	const pods = [endpointPod('a')];
	const first = planEndpoints({ service, pods, endpoints: undefined, triggerTime: '2026-01-31T08:00:05Z' });
	assert.ok(first.kind === 'create');
	const stored = first.object;
	assert.equal(
		stored.metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'],
		'2026-01-31T08:00:05Z',
	);
	assert.equal(planEndpoints({ service, pods, endpoints: stored }).kind, 'keep');
	const annotated = {
		...stored,
		metadata: { ...stored.metadata, annotations: { mine: 'x' }, resourceVersion: '7' },
	};
	const next = planEndpoints({ service, pods: [], endpoints: annotated });
	assert.ok(next.kind === 'update');
	assert.deepEqual(next.object.subsets, undefined);
	assert.deepEqual(
		[next.object.metadata.annotations, next.object.metadata.resourceVersion],
		[{ mine: 'x' }, '7'],
	);
	const unlabelled = { ...stored, metadata: { ...stored.metadata, labels: {} } };
	assert.equal(planEndpoints({ service, pods, endpoints: unlabelled }).kind, 'update');
	for (const spec of [
		{ ports: [{ port: 80 }] },
		{ type: 'ExternalName', externalName: 'a.b', selector: { a: 'b' } },
	]) {
		assert.equal(planEndpoints({ service: serviceWith(spec), pods, endpoints: stored }).kind, 'keep');
	}
});

test('more than 1000 addresses are cut with an annotation, those that are not ready first', () => {
	const list = (count: number, prefix: string): readonly { readonly ip: string }[] =>
		Array.from({ length: count }, (_, index) => ({ ip: `${prefix}${index}` }));
	const subsets: readonly EndpointSubset[] = [
		{ addresses: list(600, 'a'), notReadyAddresses: list(300, 'b'), ports: [{ port: 1 }] },
		{ notReadyAddresses: list(300, 'c'), ports: [{ port: 2 }] },
	];
	const cut = withinCapacity(subsets);
	assert.deepEqual(
		cut.map(({ addresses = [], notReadyAddresses = [] }) => [addresses.length, notReadyAddresses.length]),
		[
			[600, 200],
			[0, 200],
		],
	);
	const full = withinCapacity([{ addresses: list(1500, 'a'), notReadyAddresses: list(3, 'b') }]);
	assert.deepEqual(
		full.map(({ addresses, notReadyAddresses }) => [addresses?.length, notReadyAddresses]),
		[[1000, undefined]],
	);
	const pods = list(1001, 'p').map(({ ip }) => endpointPod(ip));
	const { metadata, subsets: [only] = [] } = planned({}, pods);
	assert.equal(metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated');
	assert.equal(only?.addresses?.length, 1000);
	const service = serviceWith(SPEC);
	const small = planEndpoints({ service, pods: pods.slice(0, 3), endpoints: planned({}, pods) });
	assert.ok(small.kind === 'update');
	assert.deepEqual(small.object.metadata.annotations, {});
});

test('the trigger time is the earliest change since the last pass', () => {
	const service = serviceWith(SPEC, {}, { creationTimestamp: '2026-01-31T08:00:01Z' });
	const first = triggerTimes(undefined, service, [endpointPod('a')]);
	assert.equal(first.changed, Date.parse('2026-01-31T08:00:01Z'));
	const second = triggerTimes(first.times, service, [endpointPod('a'), endpointPod('b')]);
	assert.equal(second.changed, Date.parse('2026-01-31T08:00:05Z'));
	assert.equal(triggerTimes(second.times, service, [endpointPod('a')]).changed, undefined);
});

const subsetsArbitrary: fc.Arbitrary<readonly EndpointSubset[]> = fc.array(
	fc.record({
		addresses: fc.array(fc.record({ ip: fc.constantFrom('1.1.1.1', '2.2.2.2', '3.3.3.3') }), {
			maxLength: 3,
		}),
		notReadyAddresses: fc.array(fc.record({ ip: fc.constantFrom('1.1.1.1', '4.4.4.4') }), { maxLength: 2 }),
		ports: fc.array(
			fc.record({ port: fc.integer({ min: 1, max: 4 }), protocol: fc.constant('TCP' as const) }),
			{
				minLength: 1,
				maxLength: 3,
			},
		),
	}),
	{ maxLength: 5 },
);

/** The endpoints of subsets: each address with each port, and whether it is ready there. */
function expanded(subsets: readonly EndpointSubset[]): ReadonlyMap<string, boolean> {
	const found = new Map<string, boolean>();
	for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets) {
		for (const port of ports.length === 0 ? [0] : ports.map((each) => each.port)) {
			for (const { ip } of addresses) found.set(`${ip}:${port}`, found.get(`${ip}:${port}`) ?? true);
			for (const { ip } of notReadyAddresses) found.set(`${ip}:${port}`, false);
		}
	}
	return found;
}

test('repacked subsets have the same endpoints, each once, and repacking them again changes nothing', () => {
	const property = fc.property(subsetsArbitrary, (subsets) => {
		const packed = repackSubsets(subsets);
		assert.deepEqual([...expanded(packed)].sort(), [...expanded(subsets)].sort());
		assert.deepEqual(repackSubsets(packed), packed);
		const pairs = packed.flatMap(({ addresses = [], notReadyAddresses = [], ports = [{ port: 0 }] }) =>
			[...addresses, ...notReadyAddresses].flatMap(({ ip }) => ports.map(({ port }) => `${ip}:${port}`)),
		);
		assert.equal(new Set(pairs).size, pairs.length);
	});
	fc.assert(property);
});

test('a Service selects the Pods of its namespace by its labels', () => {
	const select = (selector: object | undefined, metadata: object): boolean => {
		const service: Service = serviceWith({ ...SPEC, ...(selector ? { selector } : { selector: undefined }) });
		return isSelected({ metadata }, service);
	};
	const labels = { app: 'x', tier: 'y' };
	assert.equal(select({ app: 'x' }, { namespace: 'default', labels }), true);
	assert.equal(select({ app: 'x' }, { namespace: 'other', labels }), false);
	assert.equal(select({ app: 'y' }, { namespace: 'default', labels }), false);
	assert.equal(select({ constructor: 'x' }, { namespace: 'default', labels }), false);
	assert.equal(select(undefined, { namespace: 'default', labels }), false);
});
