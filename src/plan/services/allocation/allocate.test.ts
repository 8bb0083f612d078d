import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { services } from '../../../api/core/service/definition.ts';
import type { Service } from '../../../api/core/service/schema.ts';
import { serviceWith } from '../../../api/core/service/testing/service-with.ts';
import { type Allocation, allocateService } from './allocate.ts';
import { heldBy } from './held.ts';
import { Pool } from './pool.ts';
import { type AddressRange, addressNumber, addressRangeOf, contains } from './ranges.ts';

const RANGE: AddressRange = { text: '10.0.0.0/28', first: addressNumber('10.0.0.1') ?? 0, size: 14, kept: 0 };
const PORTS = { first: 30_000, size: 6, kept: 2 };

/** The pool in which these Services have what they have. */
function poolOf(...others: readonly Service[]): Pool {
	const held = others.map(({ spec }) => heldBy(spec));
	return new Pool({
		addresses: [RANGE],
		ports: PORTS,
		isAddressUsed: (address) => held.some(({ addresses }) => addresses.has(address)),
		isPortUsed: (port) => held.some(({ ports }) => ports.has(port)),
		draw: () => 0,
	});
}

function allocated(spec: object, old?: Service, pool: Pool = poolOf(...(old ? [old] : []))): Service {
	const result = allocateService(serviceWith(spec), old, pool);
	assert.equal(result.type, 'allocated', JSON.stringify(result));
	return services.defaults(result.service);
}

function problem(result: Allocation): string {
	if (result.type === 'allocated') return '';
	if (result.type === 'full') return result.message;
	return result.errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
}

test('a new Service gets an address, and a node port for each of its ports', () => {
	const { spec } = allocated({ ports: [{ port: 80 }] });
	assert.deepEqual(
		[spec.clusterIP, spec.clusterIPs, spec.ipFamilies, spec.ipFamilyPolicy, spec.ports?.[0]?.nodePort],
		['10.0.0.1', ['10.0.0.1'], ['IPv4'], 'SingleStack', undefined],
	);
	const ports = [
		{ port: 53, name: 'a' },
		{ port: 53, name: 'b', protocol: 'UDP' },
		{ port: 80, name: 'c', nodePort: 30_003 },
		{ port: 81, name: 'd' },
	];
	const node = allocated({ type: 'NodePort', ports });
	assert.deepEqual(
		node.spec.ports?.map(({ nodePort }) => nodePort),
		[30_002, 30_002, 30_003, 30_004],
	);
	const balanced = allocated({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] });
	assert.deepEqual([balanced.spec.ports?.[0]?.nodePort, balanced.spec.healthCheckNodePort], [30_002, 30_003]);
	const portless = { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false };
	assert.deepEqual(
		allocated({ ...portless, ports: [{ port: 80 }, { port: 81, nodePort: 30_005 }] }).spec.ports?.map(
			({ nodePort }) => nodePort,
		),
		[undefined, 30_005],
	);
});

test('headless Services and ExternalNames get no address', () => {
	const headless = allocated({ clusterIP: 'None', selector: { a: 'b' } }).spec;
	assert.deepEqual([headless.clusterIPs, headless.ipFamilies], [['None'], ['IPv4']]);
	const free = allocated({ clusterIP: 'None' }).spec;
	assert.deepEqual([free.ipFamilies, free.ipFamilyPolicy], [['IPv4', 'IPv6'], 'RequireDualStack']);
	const single = allocated({ clusterIP: 'None', ipFamilyPolicy: 'SingleStack' }).spec;
	assert.deepEqual(single.ipFamilies, ['IPv4']);
	const alias = allocated({ type: 'ExternalName', externalName: 'a.b' }).spec;
	assert.deepEqual([alias.clusterIP, alias.clusterIPs, alias.ipFamilies], [undefined, undefined, undefined]);
});

test('values that the client chooses are refused with the texts of upstream', () => {
	const taken = serviceWith({
		type: 'NodePort',
		clusterIP: '10.0.0.9',
		clusterIPs: ['10.0.0.9'],
		ports: [{ port: 1, nodePort: 30_001 }],
	});
	const rows: readonly (readonly [object, string])[] = [
		[
			{ clusterIP: '10.0.0.9' },
			'spec.clusterIPs: Invalid value: ["10.0.0.9"]: failed to allocate IP 10.0.0.9: provided IP is already allocated',
		],
		[
			{ clusterIP: '10.0.0.15' },
			'spec.clusterIPs: Invalid value: ["10.0.0.15"]: failed to allocate IP 10.0.0.15: the provided network does not match the current range',
		],
		[
			{ type: 'NodePort', ports: [{ port: 2, nodePort: 30_001 }] },
			'spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
		],
		[
			{ type: 'NodePort', ports: [{ port: 2, nodePort: 80 }] },
			'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30005',
		],
		[
			{ type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_001 },
			'spec.healthCheckNodePort: Invalid value: 30001: failed to allocate requested HealthCheck NodePort 30001: provided port is already allocated',
		],
		[
			{ type: 'NodePort', ports: [1, 2, 3, 4, 5, 6].map((port) => ({ port })) },
			'failed to allocate a nodePort: range is full',
		],
		[
			{ clusterIP: 'fd00::1' },
			'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
		],
		[{ ipFamilies: ['IPv6'] }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
		[
			{ ipFamilyPolicy: 'RequireDualStack' },
			'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
		],
		[
			{ ipFamilies: ['IPv4', 'IPv6'] },
			"spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
		],
		[
			{ clusterIPs: ['10.0.0.3'] },
			'spec.clusterIPs: Invalid value: ["10.0.0.3"]: must be empty when `clusterIP` is not specified',
		],
	];
	for (const [spec, text] of rows) {
		assert.equal(problem(allocateService(serviceWith(spec), undefined, poolOf(taken))), text);
	}
	const small = addressRangeOf('10.0.0.0/30');
	assert.ok(small);
	const full = new Pool({
		addresses: [small],
		ports: PORTS,
		isAddressUsed: () => true,
		isPortUsed: () => true,
		draw: () => 0,
	});
	assert.equal(
		problem(allocateService(serviceWith({}), undefined, full)),
		'failed to allocate a serviceIP for Service "web": range is full',
	);
});

test('an update that leaves out allocated values keeps them, and a change of the type allocates what is missing', () => {
	const given = { ports: [{ port: 80, name: 'a' }] };
	const plain = allocated(given);
	assert.deepEqual(allocated(given, plain).spec, plain.spec);
	const node = allocated({ ...given, type: 'NodePort' }, plain);
	assert.equal(node.spec.clusterIP, plain.spec.clusterIP);
	assert.equal(node.spec.ports?.[0]?.nodePort, 30_002);
	const more = {
		type: 'NodePort',
		ports: [
			{ port: 90, name: 'b' },
			{ port: 81, name: 'a' },
		],
	};
	assert.deepEqual(
		allocated(more, node).spec.ports?.map(({ nodePort }) => nodePort),
		[30_003, 30_002],
	);
	const moved = {
		type: 'NodePort',
		ports: [
			{ port: 80, name: 'b', nodePort: 30_002 },
			{ port: 81, name: 'a' },
		],
	};
	assert.deepEqual(
		allocated(moved, node).spec.ports?.map(({ nodePort }) => nodePort),
		[30_002, 30_003],
	);
	const balanced = allocated({ ...given, type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, node);
	assert.deepEqual([balanced.spec.ports?.[0]?.nodePort, balanced.spec.healthCheckNodePort], [30_002, 30_003]);
	const again = { ...given, type: 'LoadBalancer', externalTrafficPolicy: 'Local' };
	assert.equal(allocated(again, balanced).spec.healthCheckNodePort, 30_003);
	const alias = serviceWith({ type: 'ExternalName', externalName: 'a.b' });
	assert.equal(allocated(given, alias).spec.clusterIP, '10.0.0.1');
	const changed = allocated({ ...given, clusterIP: '10.0.0.5' }, plain).spec;
	assert.deepEqual(changed.clusterIPs, ['10.0.0.5'], 'validation refuses the change');
	const cleared = allocated({ ...given, clusterIP: '', clusterIPs: plain.spec.clusterIPs }, plain).spec;
	assert.equal(cleared.clusterIP, '10.0.0.1');
	const two = serviceWith({
		...given,
		ipFamilyPolicy: 'PreferDualStack',
		clusterIP: '10.0.0.2',
		clusterIPs: ['10.0.0.2'],
		ipFamilies: ['IPv4'],
	});
	assert.deepEqual(allocated(given, two).spec.ipFamilyPolicy, 'PreferDualStack');
});

/** What a user does with one of a few Services. */
interface Act {
	readonly name: number;
	readonly spec: object | undefined;
}

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];

const acts: fc.Arbitrary<readonly Act[]> = fc.array(
	fc.record({
		name: fc.nat(8),
		spec: fc.option(
			fc.record(
				{
					type: fc.constantFrom(...TYPES),
					externalName: fc.constant('a.b'),
					externalTrafficPolicy: fc.constantFrom('Cluster', 'Local'),
					clusterIP: fc.constantFrom('None', '10.0.0.3', '10.0.0.4'),
					selector: fc.constant({ a: 'b' }),
					ports: fc.array(
						fc.record(
							{
								port: fc.integer({ min: 1, max: 3 }),
								name: fc.constantFrom('a', 'b'),
								nodePort: fc.integer({ min: 29_999, max: 30_006 }),
							},
							{ requiredKeys: ['port', 'name'] },
						),
						{ maxLength: 2 },
					),
				},
				{ requiredKeys: ['type'] },
			),
			{ nil: undefined },
		),
	}),
	{ maxLength: 40 },
);

test('whatever users do, no two Services have the same address or node port, and each has what its type needs', () => {
	const property = fc.property(acts, (list) => {
		const stored = new Map<number, Service>();
		for (const { name, spec } of list) {
			const old = stored.get(name);
			if (spec) write(stored, name, spec);
			else stored.delete(name);
			checkState([...stored.values()]);
			if (old && spec) checkKept(old, stored.get(name));
		}
	});
	fc.assert(property, { numRuns: 500 });
});

/** Writes a Service as the API server does: allocates, prepares and validates. */
function write(stored: Map<number, Service>, name: number, spec: object): void {
	const old = stored.get(name);
	const { strategy } = services;
	const result = allocateService(serviceWith(spec), old, poolOf(...stored.values()));
	if (result.type !== 'allocated') return;
	const given = services.defaults(result.service);
	const next = old ? strategy.prepareForUpdate(given, old) : strategy.prepareForCreate(given);
	const errors = old ? strategy.validateUpdate(next, old) : strategy.validateCreate(next);
	if (errors.length === 0) stored.set(name, services.defaults(next));
}

function checkState(all: readonly Service[]): void {
	const held = all.map(({ spec }) => heldBy(spec));
	for (const key of ['addresses', 'ports'] as const) {
		const values = held.flatMap((each) => [...each[key]]);
		assert.equal(new Set(values).size, values.length, `two Services share one of ${values.join()}`);
		const range = key === 'addresses' ? RANGE : PORTS;
		for (const value of values) assert.ok(contains(range, value), `${value} is out of range`);
	}
	for (const { spec } of all) {
		const { type, clusterIPs = [], ports = [], externalTrafficPolicy } = spec;
		assert.equal(clusterIPs.length === 0, type === 'ExternalName');
		const hasNodePorts = type === 'NodePort' || type === 'LoadBalancer';
		for (const { nodePort = 0 } of ports) {
			// Nothing forbids a node port of an ExternalName, which has no use.
			if (type !== 'ExternalName') assert.equal(nodePort > 0, hasNodePorts);
		}
		const needsCheck = type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
		assert.equal((spec.healthCheckNodePort ?? 0) > 0, needsCheck);
	}
}

/** An address changes only with a change from or to ExternalName. */
function checkKept(old: Service, next: Service | undefined): void {
	if (!next || old.spec.type === 'ExternalName' || next.spec.type === 'ExternalName') return;
	assert.equal(next.spec.clusterIP, old.spec.clusterIP);
}
