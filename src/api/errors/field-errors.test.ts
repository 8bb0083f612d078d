import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quote } from '../../base/quote.ts';
import {
	duplicate,
	fieldForbidden,
	fieldInvalid,
	fieldNotFound,
	fieldRequired,
	immutable,
	nonNegative,
	notSupported,
	tooLong,
	tooMany,
} from './field-errors.ts';
import { FieldPath } from './field-path.ts';

const path = new FieldPath('spec').child('containers').index(2).child('name');

test("a path has upstream's notation", () => {
	assert.equal(path.text, 'spec.containers[2].name');
	assert.equal(new FieldPath('metadata').child('labels').key('a/b').text, 'metadata.labels[a/b]');
});

test("each type of error has upstream's text", () => {
	assert.equal(fieldRequired(path).message, 'Required value');
	assert.equal(fieldRequired(path, 'must be set').message, 'Required value: must be set');
	assert.equal(fieldInvalid(path, 'a"b', 'is odd').message, 'Invalid value: "a\\"b": is odd');
	assert.equal(fieldInvalid(path, -1, 'must be more').message, 'Invalid value: -1: must be more');
	assert.equal(
		notSupported(path, 'never', ['Always', 'Never']).message,
		'Unsupported value: "never": supported values: "Always", "Never"',
	);
	assert.equal(duplicate(path, 'x').message, 'Duplicate value: "x"');
	assert.equal(fieldForbidden(path, 'not here').message, 'Forbidden: not here');
	assert.equal(tooLong(path, 1).message, 'Too long: may not be more than 1 byte');
	assert.equal(tooLong(path, 262144).message, 'Too long: may not be more than 262144 bytes');
	assert.equal(tooMany(path, 3, 1).message, 'Too many: 3: must have at most 1 item');
	assert.equal(fieldNotFound(path, 'v').message, 'Not found: "v"');
	assert.equal(fieldRequired(path).field, 'spec.containers[2].name');
});

test('errors show values that are not strings as JSON', () => {
	assert.equal(immutable(path, undefined).message, 'Invalid value: null: field is immutable');
	assert.equal(
		immutable(path, { a: ['<b>'] }).message,
		'Invalid value: {"a":["\\u003cb\\u003e"]}: field is immutable',
	);
	assert.equal(immutable(path, true).message, 'Invalid value: true: field is immutable');
});

test('nonNegative() refuses a negative number', () => {
	assert.deepEqual(nonNegative(path, 0), []);
	assert.equal(nonNegative(path, -2)[0]?.message, 'Invalid value: -2: must be greater than or equal to 0');
});

test('errors escape unprintable characters of quoted text', () => {
	assert.equal(quote('plain'), '"plain"');
	assert.equal(quote('a\n\t\\\x01\u200b'), '"a\\n\\t\\\\\\x01\\u200b"');
	assert.equal(quote('Grüße 日本 😀'), '"Grüße 日本 😀"');
	assert.equal(quote('\x7f'), '"\\x7f"');
});
