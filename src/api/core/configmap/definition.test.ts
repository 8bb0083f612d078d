import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { configMaps } from './definition.ts';
import { type ConfigMap, configMapSchema } from './schema.ts';

const { validateCreate, validateUpdate } = configMaps.strategy;

function mapOf(fields: object, metadata: object = {}): ConfigMap {
	const meta = { name: 'c', namespace: 'default', resourceVersion: '1', ...metadata };
	return decode(configMapSchema, { metadata: meta, ...fields }).value;
}

function texts(errors: ReturnType<typeof validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

const KEY_FORM =
	"a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const MIB = 1024 * 1024;

test('validation refuses invalid keys, keys in both maps, and more than 1 MiB', () => {
	const rows: readonly (readonly [fields: object, ...errors: readonly string[]])[] = [
		[{}],
		[{ data: { 'a.B_c-1': '' }, binaryData: { raw: 'AP8=' } }],
		[{ data: { 'a/b': '' } }, `data[a/b]: Invalid value: "a/b": ${KEY_FORM}`],
		[{ binaryData: { ' ': '' } }, `binaryData[ ]: Invalid value: " ": ${KEY_FORM}`],
		[{ data: { '..x': '' } }, `data[..x]: Invalid value: "..x": must not start with '..'`],
		[
			{ data: { a: 'x' }, binaryData: { a: 'AA==' } },
			'data[a]: Invalid value: "a": duplicate of key present in binaryData',
		],
		[{ data: { a: 'x'.repeat(MIB) } }],
		[{ data: { a: '☃'.repeat(MIB / 2) } }, ': Too long: may not be more than 1048576 bytes'],
		[
			{ data: { a: 'x'.repeat(MIB) }, binaryData: { b: 'AA==' } },
			': Too long: may not be more than 1048576 bytes',
		],
	];
	for (const [fields, ...expected] of rows) assert.deepEqual(texts(validateCreate(mapOf(fields))), expected);
	assert.match(
		texts(validateCreate(mapOf({}, { name: 'A' }))).join(),
		/^metadata.name: Invalid value: "A": a lowercase/,
	);
});

test('an immutable ConfigMap keeps its data, and stays immutable', () => {
	const text = 'Forbidden: field is immutable when `immutable` is set';
	const old = mapOf({ immutable: true, data: { a: '1' }, binaryData: { b: 'AA==' } });
	const rows: readonly (readonly [fields: object, ...errors: readonly string[]])[] = [
		[old],
		[{ ...old, immutable: false }, `immutable: ${text}`],
		[{ ...old, data: { a: '2' } }, `data: ${text}`],
		[{ ...old, binaryData: {} }, `binaryData: ${text}`],
		[{}, `immutable: ${text}`, `data: ${text}`, `binaryData: ${text}`],
	];
	for (const [fields, ...expected] of rows) {
		assert.deepEqual(texts(validateUpdate(mapOf(fields), old)), expected);
	}
	assert.deepEqual(texts(validateUpdate(old, mapOf({}))), []);
	assert.deepEqual(texts(validateUpdate(mapOf({ data: { 'a/b': '' } }), mapOf({}))).length, 1);
});

test('the column Data counts the keys of both maps', () => {
	const cells = (given: ConfigMap): readonly unknown[] =>
		configMaps.columns.map(({ cell }) => cell(given, 0));
	assert.equal(cells(mapOf({ data: { a: '', b: '' }, binaryData: { c: '' } }))[1], 3);
	assert.equal(cells(mapOf({}))[1], 0);
});
