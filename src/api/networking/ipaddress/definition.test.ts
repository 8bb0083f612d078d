import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { ipAddresses } from './definition.ts';
import { type IpAddressObject, ipAddressSchema } from './schema.ts';

const PARENT = { resource: 'services', namespace: 'default', name: 'web' };

function address(spec: object = { parentRef: PARENT }, name = '10.0.0.1'): IpAddressObject {
	const json = { metadata: { name, uid: 'u', resourceVersion: '1' }, spec };
	return ipAddresses.defaults(decode(ipAddressSchema, json).value);
}

const { strategy, columns } = ipAddresses;

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('the name must be an address in canonical form', () => {
	const rows: readonly (readonly [string, string])[] = [
		['255.255.255.255', ''],
		['fe80::42:1dff:fe84:f9e2', ''],
		['10.0.0.01', 'Invalid value: "10.0.0.01": must not have leading 0s'],
		['::ffff:10.0.0.1', 'Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address'],
		['2001:db8:0::1', 'Invalid value: "2001:db8:0::1": must be in canonical form ("2001:db8::1")'],
		['web', 'Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
	];
	for (const [name, text] of rows) {
		const shown = text === '' ? [] : [`metadata.name: ${text}`];
		assert.deepEqual(texts(strategy.validateCreate(address(undefined, name))), shown);
	}
});

test('a parent is required, and cannot be changed', () => {
	const rows: readonly (readonly [object, readonly string[]])[] = [
		[{}, ['spec.parentRef: Required value']],
		[{ parentRef: {} }, ['spec.parentRef.resource: Required value', 'spec.parentRef.name: Required value']],
		[
			{ parentRef: { resource: 'a/b', name: '..', namespace: '%' } },
			[
				'spec.parentRef.resource: Invalid value: "a/b": may not contain \'/\'',
				'spec.parentRef.name: Invalid value: "..": may not be \'..\'',
				'spec.parentRef.namespace: Invalid value: "%": may not contain \'%\'',
			],
		],
	];
	for (const [spec, expected] of rows)
		assert.deepEqual(texts(strategy.validateCreate(address(spec))), expected);
	const group = texts(strategy.validateCreate(address({ parentRef: { ...PARENT, group: 'A_B' } })));
	assert.match(group.join(), /^spec\.parentRef\.group: Invalid value: "A_B": a lowercase RFC 1123 subdomain/);
	assert.deepEqual(
		texts(strategy.validateUpdate(address({ parentRef: { resource: 'pods', name: 'x' } }), address())),
		['spec.parentRef: Invalid value: {"resource":"pods","name":"x"}: field is immutable'],
	);
});

test('the printer columns are those of kubectl', () => {
	const shown = (spec: object): unknown => columns.map(({ cell }) => cell(address(spec), 0));
	assert.deepEqual(shown({ parentRef: PARENT }), ['10.0.0.1', 'services/default/web']);
	assert.deepEqual(shown({ parentRef: { group: 'g.io', resource: 'Gateways', name: 'a' } }), [
		'10.0.0.1',
		'gateways.g.io/a',
	]);
	assert.deepEqual(shown({}), ['10.0.0.1', '<none>']);
});
