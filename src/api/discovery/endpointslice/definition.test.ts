import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../schema/decode.ts';
import { endpointSlices } from './definition.ts';
import { type EndpointSlice, endpointSliceSchema } from './schema.ts';

const { strategy, columns } = endpointSlices;

function sliceOf(parts: object, metadata: object = {}): EndpointSlice {
	const meta = { name: 'web-x', namespace: 'default', uid: 'u', resourceVersion: '1', ...metadata };
	const json = { metadata: meta, addressType: 'IPv4', ...parts };
	return endpointSlices.defaults(decode(endpointSliceSchema, json).value);
}

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('ports have no name and are TCP by default, and empty lists are written', () => {
	const slice = sliceOf({ ports: [{ port: 80 }] });
	assert.deepEqual(slice.ports, [{ name: '', protocol: 'TCP', port: 80 }]);
	assert.deepEqual(slice.endpoints, []);
	assert.equal(endpointSlices.defaults(slice), slice);
});

const TEN_NAMES = Array.from({ length: 9 }, (_, index) => ({ name: `n${index}` }));

test('a create is refused for each broken rule with the text of upstream', () => {
	const endpoint = (parts: object, type = 'IPv4'): object => ({
		addressType: type,
		endpoints: [{ addresses: ['10.0.0.1'], ...parts }],
	});
	const rows: readonly (readonly [object, ...string[]])[] = [
		[{ addressType: '' }, 'addressType: Required value'],
		[{ addressType: 'X' }, 'addressType: Unsupported value: "X": supported values: "FQDN", "IPv4", "IPv6"'],
		[endpoint({ addresses: [] }), 'endpoints[0].addresses: Required value: must contain at least 1 address'],
		[
			endpoint({ addresses: Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`) }),
			'endpoints[0].addresses: Too many: 101: must have at most 100 items',
		],
		[
			{ endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['x'] })) },
			'endpoints: Too many: 1001: must have at most 1000 items',
		],
		[
			endpoint({ addresses: ['x'] }),
			'endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
		],
		[
			endpoint({ addresses: ['1::2'] }),
			'endpoints[0].addresses: Invalid value: "1::2": must be an IPv4 address',
		],
		[endpoint({}, 'IPv6'), 'endpoints[0].addresses: Invalid value: "10.0.0.1": must be an IPv6 address'],
		[
			endpoint({ addresses: ['1:0::2'] }, 'IPv6'),
			'endpoints[0].addresses[0]: Invalid value: "1:0::2": must be in canonical form ("1::2")',
		],
		[
			endpoint({ addresses: ['224.0.0.1'] }),
			'endpoints[0].addresses[0]: Invalid value: "224.0.0.1": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
		],
		[
			endpoint({ addresses: ['com'] }, 'FQDN'),
			'endpoints[0].addresses[0]: Invalid value: "com": should be a domain with at least two segments separated by dots',
		],
		[endpoint({ hostname: 'a.b' }), 'endpoints[0].hostname: Invalid value: "a.b": must not contain dots'],
		[
			endpoint({ hints: { forZones: TEN_NAMES } }),
			'endpoints[0].hints.forZones: Too many: 9: must have at most 8 items',
		],
		[
			endpoint({ hints: { forNodes: [{ name: 'a' }, { name: 'a' }] } }),
			'endpoints[0].hints.forNodes[1].name: Duplicate value: "a"',
		],
		[
			{ ports: [{ name: 'a', protocol: 'X' }, { name: 'a' }] },
			'ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
			'ports[1].name: Duplicate value: "a"',
		],
	];
	for (const [parts, ...expected] of rows) {
		assert.deepEqual(texts(strategy.validateCreate(sliceOf(parts))), expected, JSON.stringify(parts));
	}
	const wrong = sliceOf({
		endpoints: [{ addresses: ['10.0.0.1'], nodeName: '?', deprecatedTopology: { '?': '' } }],
		ports: [{ name: 'A', appProtocol: '?' }],
	});
	assert.deepEqual(
		strategy.validateCreate(wrong).map(({ field }) => field),
		['ports[0].name', 'ports[0].appProtocol', 'endpoints[0].nodeName', 'endpoints[0].deprecatedTopology'],
	);
	assert.deepEqual(strategy.validateCreate(sliceOf(endpoint({ addresses: ['127.0.0.1'] }))), []);
	assert.deepEqual(strategy.validateCreate(sliceOf(endpoint({ addresses: ['a.b.'] }, 'FQDN'))), []);
});

test('the address type is fixed, and endpoints that have not changed are accepted', () => {
	const old = sliceOf({ endpoints: [{ addresses: ['x'] }] });
	assert.deepEqual(strategy.validateUpdate(sliceOf({ endpoints: [{ addresses: ['x'] }] }), old), []);
	assert.deepEqual(texts(strategy.validateUpdate(sliceOf({ addressType: 'IPv6' }), sliceOf({}))), [
		'addressType: Invalid value: "IPv6": field is immutable',
	]);
});

test('the generation counts changes of the content and of the labels', () => {
	const old = strategy.prepareForCreate(sliceOf({ ports: [{ port: 80 }] }));
	assert.equal(old.metadata.generation, 1);
	const generation = (parts: object, metadata: object = {}): unknown =>
		strategy.prepareForUpdate(sliceOf(parts, metadata), old).metadata.generation;
	assert.equal(generation({ ports: [{ port: 80 }] }, { annotations: { a: 'b' } }), 1);
	assert.equal(generation({ ports: [{ port: 80 }] }, { labels: { a: 'b' } }), 2);
	assert.equal(generation({ ports: [{ port: 81 }] }), 2);
});

test('writes to deprecatedTopology are ignored', () => {
	const topology = { deprecatedTopology: { 'kubernetes.io/hostname': 'node' } };
	const given = sliceOf({ endpoints: [{ addresses: ['10.0.0.1'], ...topology }] });
	assert.deepEqual(strategy.prepareForCreate(given).endpoints, [{ addresses: ['10.0.0.1'], conditions: {} }]);
	const next = sliceOf({ endpoints: [{ addresses: ['10.0.0.2'], ...topology }] });
	assert.equal(strategy.prepareForUpdate(next, given).endpoints[0]?.nodeName, 'node');
	assert.equal(strategy.prepareForUpdate(next, sliceOf({})).endpoints[0]?.nodeName, undefined);
});

test('warnings name the deprecated type and unusual addresses, unless a controller wrote them', () => {
	assert.deepEqual(strategy.warnings?.(sliceOf({ addressType: 'FQDN' }), undefined), [
		'spec.addressType: FQDN endpoints are deprecated',
	]);
	const parts = { endpoints: [{ addresses: ['010.0.0.1'] }] };
	assert.deepEqual(strategy.warnings?.(sliceOf(parts), undefined), [
		'endpoints[0].addresses[0]: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
	]);
	for (const manager of ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']) {
		const labels = { 'endpointslice.kubernetes.io/managed-by': manager };
		assert.deepEqual(strategy.warnings?.(sliceOf(parts, { labels }), undefined), []);
	}
});

test('the printer columns are those of kubectl', () => {
	const cells = (parts: object): readonly unknown[] =>
		columns.slice(1, 4).map(({ cell }) => cell(sliceOf(parts), 0));
	assert.deepEqual(cells({}), ['IPv4', '<unset>', '<unset>']);
	assert.deepEqual(cells({ ports: [{ port: 80 }, { name: 'a' }] }), ['IPv4', '80,a', '<unset>']);
	const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'];
	const ports = [1, 2, 3, 4, 5].map((port) => ({ port, name: `p${port}` }));
	const endpoints = addresses.map((address) => ({ addresses: [address] }));
	assert.deepEqual(cells({ ports, endpoints }), [
		'IPv4',
		'1,2,3 + 2 more...',
		'10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...',
	]);
});
