import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import {
	asPrefix,
	configMapKey,
	dns1123Label,
	dns1123Subdomain,
	envVarName,
	generateName,
	inRange,
	labelValue,
	portName,
	qualifiedName,
} from './names.ts';

test('dns1123Label() accepts valid labels', () => {
	for (const name of ['a', 'ab', 'abc', 'a1', 'a-1', 'a--1--2--b', '0', '01', '1a', 'a'.repeat(63)]) {
		assert.deepEqual(dns1123Label(name), [], name);
	}
});

test('dns1123Label() reports the required syntax of an invalid label', () => {
	for (const name of ['', 'A', 'ABC', '-', 'a-', '-a', '1-', '_', 'a_', 'a@b', 'a b', ' a', 'a ', 'a\n']) {
		assert.deepEqual(
			dns1123Label(name),
			[
				"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
			],
			name,
		);
	}
});

test('dns1123Label() reports the dots of a subdomain', () => {
	assert.deepEqual(dns1123Label('a.b'), ['must not contain dots']);
	assert.deepEqual(dns1123Label('a'.repeat(64)), ['must be no more than 63 characters']);
});

test('dns1123Subdomain() accepts labels separated by dots', () => {
	for (const name of ['a', 'a.b', '0.0.c-d', 'a'.repeat(253)]) assert.deepEqual(dns1123Subdomain(name), []);
	assert.deepEqual(dns1123Subdomain('My.Name'), [
		"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
	]);
	assert.deepEqual(dns1123Subdomain('a'.repeat(254)), ['must be no more than 253 characters']);
	assert.equal(dns1123Subdomain('a..b').length, 1);
});

test('qualifiedName() accepts a key with and without a prefix', () => {
	const good = [
		'simple',
		'now-with-dashes',
		'1-starts-with-num',
		'1234',
		'simple/simple',
		'now.with-dots/simple',
	];
	for (const key of [...good, 'UpperCase', '1.2.3.4/5678', 'a'.repeat(63), `${'a'.repeat(253)}/b`]) {
		assert.deepEqual(qualifiedName(key), [], key);
	}
});

test('qualifiedName() reports which part of a key is invalid', () => {
	const form =
		"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
	assert.deepEqual(qualifiedName('nospecialchars%^=@'), [`name part ${form}`]);
	assert.deepEqual(qualifiedName(''), ['name part must be non-empty', `name part ${form}`]);
	assert.deepEqual(qualifiedName('/b'), ['prefix part must be non-empty']);
	assert.deepEqual(qualifiedName('a'.repeat(64)), ['name part must be no more than 63 bytes']);
	assert.deepEqual(qualifiedName(`${'a'.repeat(254)}/b`), ['prefix part must be no more than 253 bytes']);
	assert.deepEqual(qualifiedName('a/b/c'), [
		`a valid label key ${form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
	]);
});

test('labelValue() accepts an empty value and refuses a long one', () => {
	for (const value of ['', 'simple', '1234', 'with_a.dot-x']) assert.deepEqual(labelValue(value), []);
	assert.deepEqual(labelValue('a'.repeat(64)), ['must be no more than 63 bytes']);
	assert.deepEqual(labelValue('only/one'), [
		"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
	]);
});

test('envVarName() accepts printable ASCII without an equals sign', () => {
	for (const name of ['A', '1', 'a b', '.', '!', 'x:y']) assert.deepEqual(envVarName(name), [], name);
	assert.deepEqual(envVarName(''), ['environment variable name must be non-empty']);
	for (const name of ['a=b', 'ä', 'a\tb']) {
		assert.deepEqual(envVarName(name), [
			"a valid environment variable name must consist only of printable ASCII characters other than '='",
		]);
	}
});

test('configMapKey() refuses paths', () => {
	assert.deepEqual(configMapKey('a.b_c-d'), []);
	assert.deepEqual(configMapKey('..'), ["must not be '..'"]);
	assert.deepEqual(configMapKey('..a'), ["must not start with '..'"]);
});

test('portName() reports every violated rule', () => {
	assert.deepEqual(portName('http-2'), []);
	assert.deepEqual(portName('-1--1-'), [
		'must contain at least one letter (a-z)',
		'must not contain consecutive hyphens',
		'must not begin or end with a hyphen',
	]);
	assert.deepEqual(inRange(0, 1, 65535), ['must be between 1 and 65535, inclusive']);
});

test('asPrefix() accepts a dash at the end', () => {
	assert.deepEqual(asPrefix(dns1123Label)('my-'), []);
	assert.equal(dns1123Label('my-').length, 1);
});

test('generateName() keeps 58 characters of the prefix', () => {
	const random = new SeededRandom(1);
	const name = generateName('a'.repeat(70), random);
	assert.match(name, /^a{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/);
	assert.notEqual(generateName('job-', random), generateName('job-', random));
});
