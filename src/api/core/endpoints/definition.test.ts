import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../schema/decode.ts';
import { endpoints } from './definition.ts';
import { type Endpoints, endpointsSchema } from './schema.ts';

const { strategy, columns } = endpoints;

function endpointsOf(subsets: readonly object[], metadata: object = {}): Endpoints {
	const meta = { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', ...metadata };
	return endpoints.defaults(decode(endpointsSchema, { metadata: meta, subsets }).value);
}

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('ports are TCP by default', () => {
	const object = endpointsOf([{ ports: [{ port: 80 }] }]);
	assert.equal(object.subsets?.[0]?.ports?.[0]?.protocol, 'TCP');
	assert.equal(endpoints.defaults(object), object);
});

const ADDRESSES = [{ ip: '10.0.0.1' }];

test('a create is refused for each broken rule with the text of upstream', () => {
	const rows: readonly (readonly [object, ...string[]])[] = [
		[{}, 'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
		[
			{ addresses: [{ ip: 'x' }] },
			'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
			'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address',
		],
		[
			{ notReadyAddresses: [{ ip: '169.254.0.1' }] },
			'subsets[0].notReadyAddresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
		],
		[
			{ addresses: [{ ip: '10.0.0.1', hostname: 'a.b' }] },
			'subsets[0].addresses[0].hostname: Invalid value: "a.b": must not contain dots',
		],
		[
			{ addresses: ADDRESSES, ports: [{ port: 0 }, { port: 1, name: 'a', protocol: 'X' }] },
			'subsets[0].ports[0].name: Required value',
			'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
			'subsets[0].ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
		],
	];
	for (const [subset, ...expected] of rows) {
		assert.deepEqual(texts(strategy.validateCreate(endpointsOf([subset]))), expected);
	}
	const wrong = endpointsOf([
		{ addresses: [{ ip: '10.0.0.1', nodeName: '?' }], ports: [{ port: 1, appProtocol: '?', name: 'A' }] },
	]);
	const fields = strategy.validateCreate(wrong).map(({ field }) => field);
	const port = 'subsets[0].ports[0]';
	assert.deepEqual(fields, ['subsets[0].addresses[0].nodeName', `${port}.name`, `${port}.appProtocol`]);
	assert.deepEqual(strategy.validateCreate(endpointsOf([{ addresses: [{ ip: '127.0.0.1' }] }])), []);
});

test('an update accepts subsets that have not changed', () => {
	const old = endpointsOf([{}]);
	assert.deepEqual(strategy.validateUpdate(endpointsOf([{}], { labels: { a: 'b' } }), old), []);
	assert.equal(strategy.validateUpdate(endpointsOf([{}, {}]), old).length, 2);
	const renamed = texts(strategy.validateUpdate(endpointsOf([], { uid: 'v' }), old));
	assert.deepEqual(renamed, ['metadata.uid: Invalid value: "v": field is immutable']);
});

test('addresses in unusual forms get a warning, unless the controller wrote them', () => {
	const subsets = [{ notReadyAddresses: [{ ip: '1:0::2' }] }];
	assert.deepEqual(strategy.warnings?.(endpointsOf(subsets), undefined), [
		'subsets[0].notReadyAddresses[0].ip: IPv6 address "1:0::2" should be in RFC 5952 canonical format ("1::2")',
	]);
	const labels = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
	assert.deepEqual(strategy.warnings?.(endpointsOf(subsets, { labels }), undefined), []);
});

test('the printer column shows the first three ready endpoints', () => {
	const shown = (subsets: readonly object[]): unknown => columns[1]?.cell(endpointsOf(subsets), 0);
	assert.equal(shown([]), '<none>');
	assert.equal(shown([{ notReadyAddresses: ADDRESSES, ports: [{ port: 1 }] }]), '');
	assert.equal(shown([{ addresses: ADDRESSES }]), '10.0.0.1');
	const addresses = [{ ip: '10.0.0.1' }, { ip: '1::2' }];
	assert.equal(
		shown([{ addresses, ports: [{ port: 1 }, { port: 2 }] }]),
		'10.0.0.1:1,[1::2]:1,10.0.0.1:2 + 1 more...',
	);
});
