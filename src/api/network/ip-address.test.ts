import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FieldPath } from '../errors/field-path.ts';
import {
	containsRange,
	ipRangeText,
	ipRangeWarnings,
	ipWarnings,
	offersAddress,
	parseIp,
	parseIpRange,
	validateCanonicalIp,
	validateEndpointIp,
	validateIp,
	validateIpRange,
} from './ip-address.ts';

const PATH = new FieldPath('a');

function texts(errors: ReturnType<typeof validateIp>): readonly string[] {
	return errors.map(({ message }) => message);
}

test('addresses are parsed and written in the canonical form of their family', () => {
	const rows: readonly (readonly [string, string | undefined])[] = [
		['10.0.0.1', '10.0.0.1'],
		['010.0.0.1', '10.0.0.1'],
		['256.0.0.1', undefined],
		['1.2.3', undefined],
		['1.2.3.4.5', undefined],
		['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
		['::', '::'],
		['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
		['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
		['::ffff:1.2.3.4', '1.2.3.4'],
		['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
		['1::2::3', undefined],
		['fe80::1%eth0', undefined],
		['', undefined],
	];
	for (const [given, text] of rows) assert.equal(parseIp(given)?.text, text, given);
	fc.assert(
		fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (given) => {
			const text = parseIp(given)?.text ?? '';
			assert.equal(parseIp(text)?.text, text);
			assert.deepEqual(parseIp(text)?.bytes, parseIp(given)?.bytes);
		}),
	);
});

test('ambiguous and malformed addresses and ranges are refused with the texts of upstream', () => {
	const form = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
	assert.deepEqual(texts(validateIp('x', PATH)), [`Invalid value: "x": ${form}`]);
	assert.deepEqual(texts(validateIp('x', PATH, new Set(['x']))), []);
	assert.deepEqual(texts(validateIp('01.2.3.4', PATH)), [
		'Invalid value: "01.2.3.4": must not have leading 0s',
	]);
	assert.deepEqual(texts(validateIp('::ffff:1.2.3.4', PATH)), [
		'Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address',
	]);
	assert.deepEqual(texts(validateCanonicalIp('2001:DB8::1', PATH)), [
		'Invalid value: "2001:DB8::1": must be in canonical form ("2001:db8::1")',
	]);
	const ranges: readonly (readonly [string, string])[] = [
		['10.0.0.0', 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
		['10.0.0.0/33', 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
		['10.0.0.0/08', 'must not have leading 0s in IP or prefix length'],
		['::ffff:10.0.0.0/104', 'must not have an IPv4-mapped IPv6 address'],
		['10.0.0.1/8', 'must not have bits set beyond the prefix length'],
	];
	for (const [range, text] of ranges) {
		assert.deepEqual(texts(validateIpRange(range, PATH)), [`Invalid value: "${range}": ${text}`]);
	}
	assert.deepEqual(texts(validateIpRange('2001:db8::/32', PATH)), []);
	const range = parseIpRange('10.129.7.1/9');
	assert.equal(range && ipRangeText(range), '10.128.0.0/9');
});

test('endpoints cannot have addresses that lead nowhere, and loopback ones only where they are allowed', () => {
	const rows: readonly (readonly [string, string])[] = [
		['0.0.0.0', 'may not be unspecified (0.0.0.0)'],
		['127.0.0.1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
		['::1', 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
		['169.254.1.1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
		['fe80::1', 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
		['224.0.0.5', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
		['ff02::1', 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
	];
	for (const [address, text] of rows) {
		const errors = texts(validateEndpointIp(address, PATH, { allowsLoopback: false }));
		assert.deepEqual(errors, [`Invalid value: "${address}": ${text}`]);
	}
	assert.deepEqual(validateEndpointIp('127.0.0.1', PATH, { allowsLoopback: true }), []);
	assert.deepEqual(validateEndpointIp('224.0.1.5', PATH, { allowsLoopback: false }), []);
});

test('forms that others may not understand get a warning', () => {
	assert.deepEqual(ipWarnings('10.0.0.1', PATH), []);
	assert.deepEqual(ipWarnings('010.0.0.1', PATH), [
		'a: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
	]);
	assert.deepEqual(ipWarnings('1:0::2', PATH), [
		'a: IPv6 address "1:0::2" should be in RFC 5952 canonical format ("1::2")',
	]);
	assert.deepEqual(ipRangeWarnings('10.0.0.0/8', PATH), []);
	assert.deepEqual(ipRangeWarnings('10.0.0.1/8', PATH), [
		'a: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
	]);
	assert.deepEqual(ipRangeWarnings('1:0::/64', PATH), [
		'a: IPv6 CIDR value "1:0::/64" should be in RFC 5952 canonical format ("1::/64")',
	]);
});

test('a range contains smaller ones, and has no network and no last address for objects', () => {
	const range = (text: string) => parseIpRange(text) ?? assert.fail(text);
	const contains = (outer: string, inner: string): boolean => containsRange(range(outer), range(inner));
	assert.ok(contains('10.96.0.0/16', '10.96.0.0/16'));
	assert.ok(contains('10.96.0.0/16', '10.96.255.0/24'));
	assert.ok(!contains('10.96.255.0/24', '10.96.0.0/16'));
	assert.ok(!contains('10.96.0.0/16', '10.97.0.0/24'));
	assert.ok(!contains('0.0.0.0/0', '2001:db8::/64'));
	const rows: readonly (readonly [string, string, boolean])[] = [
		['10.96.0.0/22', '10.96.0.0', false],
		['10.96.0.0/22', '10.96.0.1', true],
		['10.96.0.0/22', '10.96.1.255', true],
		['10.96.0.0/22', '10.96.3.255', false],
		['10.96.0.0/22', '10.96.4.1', false],
		['10.96.0.0/32', '10.96.0.0', false],
		['2001:db8::/64', '2001:db8::', false],
		['2001:db8::/64', '2001:db8::ffff:ffff:ffff:ffff', true],
		['2001:db8::/64', '10.96.0.1', false],
	];
	for (const [text, address, has] of rows) {
		assert.equal(
			offersAddress(range(text), parseIp(address) ?? assert.fail(address)),
			has,
			`${text} ${address}`,
		);
	}
});
