import assert from 'node:assert/strict';
import test from 'node:test';
import { base64OfText } from '../../../base/base64.ts';
import { decode } from '../../schema/decode.ts';
import { secrets } from './definition.ts';
import { type Secret, secretSchema } from './schema.ts';

const { validateCreate, validateUpdate, warnings } = secrets.strategy;

function secretOf(fields: object, metadata: object = {}): Secret {
	const meta = { name: 's', namespace: 'default', resourceVersion: '1', ...metadata };
	return secrets.defaults(decode(secretSchema, { metadata: meta, ...fields }).value);
}

function texts(errors: ReturnType<typeof validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaulting sets the type and moves stringData into data, where it replaces values', () => {
	assert.equal(secretOf({}).type, 'Opaque');
	assert.equal(secretOf({ type: 'example.com/own' }).type, 'example.com/own');
	const given = secretOf({ data: { a: 'AA==', b: 'AQ==' }, stringData: { b: 'wörld', c: '' } });
	assert.deepEqual(given.data, { a: 'AA==', b: base64OfText('wörld'), c: '' });
	assert.equal(Object.hasOwn(given, 'stringData'), false);
	assert.equal(secrets.defaults(given), given);
});

test('each type requires its keys', () => {
	const docker = (json: string, key = '.dockerconfigjson'): object => ({
		type: `kubernetes.io/${key.slice(1)}`,
		stringData: { [key]: json },
	});
	const redacted = (key: string, problem: string): string =>
		`data[${key}]: Invalid value: "<secret contents redacted>": ${problem}`;
	const rows: readonly (readonly [fields: object, ...errors: readonly string[]])[] = [
		[{}],
		[{ type: 'example.com/own' }],
		[{ type: 'constructor' }],
		[docker('{"auths":{}}')],
		[docker('null')],
		[{ type: 'kubernetes.io/dockerconfigjson' }, 'data[.dockerconfigjson]: Required value'],
		[
			docker('hunter2'),
			redacted('.dockerconfigjson', "invalid character 'h' looking for beginning of value"),
		],
		[docker(''), redacted('.dockerconfigjson', 'unexpected end of JSON input')],
		[{ type: 'kubernetes.io/dockercfg' }, 'data[.dockercfg]: Required value'],
		[
			docker('[]', '.dockercfg'),
			redacted('.dockercfg', 'json: cannot unmarshal array into Go value of type map[string]interface {}'),
		],
		[{ type: 'kubernetes.io/basic-auth', data: { username: '' } }],
		[{ type: 'kubernetes.io/basic-auth', data: { password: '' } }],
		[
			{ type: 'kubernetes.io/basic-auth' },
			'data[username]: Required value',
			'data[password]: Required value',
		],
		[{ type: 'kubernetes.io/ssh-auth', stringData: { 'ssh-privatekey': 'k' } }],
		[
			{ type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } },
			'data[ssh-privatekey]: Required value',
		],
		[{ type: 'kubernetes.io/tls', data: { 'tls.crt': '', 'tls.key': '' } }],
		[{ type: 'kubernetes.io/tls' }, 'data[tls.crt]: Required value', 'data[tls.key]: Required value'],
		[
			{ type: 'kubernetes.io/service-account-token' },
			'metadata.annotations[kubernetes.io/service-account.name]: Required value',
		],
	];
	for (const [fields, ...expected] of rows) {
		assert.deepEqual(texts(validateCreate(secretOf(fields))), expected, JSON.stringify(fields));
	}
	const annotations = { 'kubernetes.io/service-account.name': 'default' };
	const token = secretOf({ type: 'kubernetes.io/service-account-token' }, { annotations });
	assert.deepEqual(texts(validateCreate(token)), []);
});

test('validation refuses invalid keys and more than 1 MiB, without showing values', () => {
	const [invalidKey = ''] = texts(validateCreate(secretOf({ stringData: { 'a/b': 'hunter2' } })));
	assert.match(invalidKey, /^data\[a\/b\]: Invalid value: "a\/b": a valid config key must/);
	const full = { a: 'x'.repeat(1024 * 1024) };
	assert.deepEqual(texts(validateCreate(secretOf({ stringData: full }))), []);
	assert.deepEqual(texts(validateCreate(secretOf({ stringData: { ...full, b: 'y' } }))), [
		'data: Too long: may not be more than 1048576 bytes',
	]);
});

test('an update keeps the type, and the data of an immutable Secret', () => {
	const text = 'Forbidden: field is immutable when `immutable` is set';
	const old = secretOf({ immutable: true, stringData: { a: '1' } });
	const rows: readonly (readonly [fields: object, ...errors: readonly string[]])[] = [
		[{ immutable: true, stringData: { a: '1' } }],
		[{ immutable: true, stringData: { a: '2' } }, `data: ${text}`],
		[{ stringData: { a: '1' } }, `immutable: ${text}`],
		[
			{ immutable: true, type: 'example.com/x', stringData: { a: '1' } },
			'type: Invalid value: "example.com/x": field is immutable',
		],
	];
	for (const [fields, ...expected] of rows) {
		assert.deepEqual(texts(validateUpdate(secretOf(fields), old)), expected);
	}
	assert.equal(validateUpdate(secretOf({ stringData: { 'a/b': '' } }), secretOf({})).length, 1);
});

test('a TLS Secret without PEM text gets a warning', () => {
	const block = (type: string): string => `-----BEGIN ${type}-----\nAAAA\n-----END ${type}-----\n`;
	const warn = (crt: string, key: string): readonly string[] =>
		warnings?.(
			secretOf({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': crt, 'tls.key': key } }),
			undefined,
		) ?? [];
	const certificate = block('CERTIFICATE');
	const key = block('PRIVATE KEY');
	assert.deepEqual(warn(`text\n${certificate}${certificate}`, block('RSA PRIVATE KEY')), []);
	assert.deepEqual(warn('x', key), ['tls: failed to find any PEM data in certificate input']);
	assert.match(warn(key, certificate).join(), /did find a private key; PEM inputs may have been switched$/);
	assert.match(warn(block('X'), key).join(), /after skipping PEM blocks of the following types: \[X\]$/);
	assert.deepEqual(warn(certificate, 'x'), ['tls: failed to find any PEM data in key input']);
	assert.match(warn(certificate, certificate).join(), /found a certificate rather than a key/);
	assert.match(warn(certificate, block('X')).join(), /in key input after skipping .*: \[X\]$/);
	assert.deepEqual(warnings?.(secretOf({}), undefined), []);
});

test('field selectors select Secrets by type, and the column Data counts keys', () => {
	const given = secretOf({ data: { a: 'AA==' } });
	assert.deepEqual(secrets.selectableFields(given), { type: 'Opaque' });
	assert.deepEqual(
		secrets.columns.slice(1, 3).map(({ cell }) => cell(given, 0)),
		['Opaque', 1],
	);
});
