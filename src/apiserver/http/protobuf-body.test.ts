import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { tokenRequestSchema } from '../../api/authentication/token-request.ts';
import { scaleSchema } from '../../api/autoscaling/scale/schema.ts';
import { apiVersionOf } from '../../api/contract/resource-definition.ts';
import { ADMIN } from '../../api/contract/user.ts';
import { bindingSchema } from '../../api/core/binding/schema.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { deleteOptionsSchema } from '../../api/meta/delete-options.ts';
import { evictionSchema } from '../../api/policy/eviction/schema.ts';
import { FIELD_NUMBERS } from '../../api/protobuf/field-numbers.ts';
import { hasFieldNumbers } from '../../api/protobuf/numbered-types.ts';
import { delimitedField, enveloped, numberField } from '../../api/protobuf/testing/wire-writer.ts';
import { resources, viewResources, virtualResources } from '../../api/resources.ts';
import { DecodeError, decode } from '../../api/schema/decode.ts';
import { object, optional, type SchemaNode, string } from '../../api/schema/schema.ts';
import { Query } from '../query.ts';
import type { Call } from '../request.ts';
import { readBody } from './body.ts';
import { type ExpectedObject, UnreadableError } from './expected-object.ts';
import { jsonOfProtobuf } from './protobuf-body.ts';

/** All kinds that can be in a protobuf body. */
const EXPECTED: readonly ExpectedObject[] = [
	// Clients never send those that they can only read.
	...[...resources, ...virtualResources.filter(({ isReadOnly }) => !isReadOnly), ...viewResources].map(
		(each) => ({
			...each,
			apiVersions: [apiVersionOf(each)],
		}),
	),
	{ kind: 'Binding', apiVersions: ['v1'], schema: bindingSchema },
	{ kind: 'Eviction', apiVersions: ['policy/v1', 'policy/v1beta1'], schema: evictionSchema },
	{ kind: 'Scale', apiVersions: ['autoscaling/v1'], schema: scaleSchema },
	{ kind: 'TokenRequest', apiVersions: ['authentication.k8s.io/v1'], schema: tokenRequestSchema },
	{ kind: 'DeleteOptions', apiVersions: undefined, schema: deleteOptionsSchema },
].filter(({ schema }) => hasFieldNumbers(schema));

/** An object as encoded by upstream's own code; tools/protobuf-golden made them. */
interface Golden {
	readonly apiVersion: string;
	readonly kind: string;
	readonly bytes: Uint8Array;
	readonly json: unknown;
}

const goldens: readonly Golden[] = readFileSync(`${import.meta.dirname}/protobuf-golden.jsonl`, 'utf8')
	.trim()
	.split('\n')
	.map((line) => {
		const { apiVersion, kind, protobuf, json } = JSON.parse(line);
		return { apiVersion, kind, bytes: Buffer.from(protobuf, 'base64'), json };
	});

/** The kind that a golden object has; without a version the first of that name. */
function expected(kind: string, apiVersion?: string): ExpectedObject {
	const found = EXPECTED.find(
		(each) => each.kind === kind && (!apiVersion || (each.apiVersions?.includes(apiVersion) ?? true)),
	);
	assert.ok(found, kind);
	return found;
}

test('protobuf decodes to the same value as JSON of the same object, both encoded by upstream', () => {
	assert.deepEqual(
		new Set(goldens.map(({ kind, apiVersion }) => expected(kind, apiVersion))),
		new Set(EXPECTED),
	);
	for (const { kind, apiVersion, bytes, json } of goldens) {
		const sample = expected(kind, apiVersion);
		const { schema } = sample;
		const fromJson = decode(schema, json);
		const fromProtobuf = decode(schema, jsonOfProtobuf(bytes, sample));
		assert.deepEqual(fromJson.problems, []);
		assert.deepEqual(fromProtobuf, fromJson, kind);
	}
});

test('every field of every schema has a number', () => {
	const numbered = (name: string): readonly string[] =>
		(FIELD_NUMBERS[name] ?? '').split(' ').flatMap((entry) => {
			const [field = ''] = entry.split('=');
			return field.startsWith('...') ? numbered(field.slice(3)) : [field];
		});
	const seen = new Set<SchemaNode>();
	const visit = (node: SchemaNode): void => {
		if (node.type === 'list') visit(node.items);
		if (node.type === 'map') visit(node.values);
		if (node.type !== 'object' || seen.has(node)) return;
		seen.add(node);
		const whole = EXPECTED.some(({ schema }) => schema === node) ? ['kind', 'apiVersion'] : [];
		const fields = new Set([...numbered(node.name), ...whole]);
		assert.deepEqual(
			Object.keys(node.fields).filter((name) => !fields.has(name)),
			[],
			node.name,
		);
		for (const { schema } of Object.values(node.fields)) visit(schema);
	};
	for (const { schema } of EXPECTED) visit(schema);
});

test('of an object of another kind or version only the type is returned, and the caller rejects it', () => {
	const message = numberField(1, 1);
	const read = (apiVersion: string, kind: string, into: string): unknown =>
		jsonOfProtobuf(enveloped(apiVersion, kind, message), expected(into));
	assert.deepEqual(read('v1', 'Pod', 'Job'), { apiVersion: 'v1', kind: 'Pod' });
	assert.deepEqual(read('events.k8s.io/v1', 'Event', 'Event'), {
		apiVersion: 'events.k8s.io/v1',
		kind: 'Event',
	});
	assert.deepEqual(jsonOfProtobuf(enveloped('', '', []), expected('Job')), {});
	const options = enveloped('batch/v1', 'DeleteOptions', numberField(1, 0));
	assert.deepEqual(jsonOfProtobuf(options, expected('DeleteOptions')), {
		apiVersion: 'batch/v1',
		kind: 'DeleteOptions',
		gracePeriodSeconds: 0,
	});
});

test('the error for a message that cannot be decoded names its kind', () => {
	const refusal = (apiVersion: string, kind: string): void => {
		jsonOfProtobuf(enveloped(apiVersion, kind, numberField(2, 1)), expected('Job'));
	};
	const text = 'Job in version "v1" cannot be handled as a Job: proto: wrong wireType = 0 for field spec';
	for (const [apiVersion, kind] of [
		['batch/v1', 'Job'],
		['', ''],
	] as const) {
		assert.throws(
			() => refusal(apiVersion, kind),
			(error) => error instanceof ApiError && error.code === 400 && error.message === text,
		);
	}
});

test('a protobuf body of a kind that upstream lacks is refused, since it would be read as an empty object', async () => {
	const schema = object('dev.example.batch.v1.Memo', 'A text that is kept.', {
		text: optional(string, 'The text that is kept.'),
	});
	const memo: ExpectedObject = { kind: 'Memo', apiVersions: ['batch.example.dev/v1'], schema };
	const call: Call = {
		method: 'POST',
		path: '/apis/batch.example.dev/v1/namespaces/default/memos',
		query: new Query({}),
		body: { type: 'bytes', bytes: enveloped('batch.example.dev/v1', 'Memo', delimitedField(1, [65])) },
		contentType: 'application/vnd.kubernetes.protobuf',
		accept: '',
		user: ADMIN,
		signal: undefined,
		warnings: [],
	};
	await assert.rejects(readBody(call, memo), {
		code: 415,
		message:
			'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml',
	});
});

test('bytes without a valid envelope are unreadable', () => {
	const magic = [0x6b, 0x38, 0x73, 0];
	const rows: readonly (readonly [bytes: readonly number[], text: string])[] = [
		[[], 'empty data'],
		[magic, 'empty body'],
		[
			magic.slice(0, 3),
			'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
		],
		[
			[...Buffer.from('{"kind":"Job"}')],
			'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
		],
		[[...magic, 0x0a, 99], 'unexpected EOF'],
		[[...magic, ...numberField(1, 1)], 'proto: wrong wireType = 0'],
		[[...magic, ...delimitedField(1, numberField(2, 1))], 'proto: wrong wireType = 0'],
		[[...magic, ...delimitedField(1, delimitedField(2, [0xff]))], 'proto: invalid UTF-8'],
	];
	for (const [bytes, text] of rows) {
		assert.throws(() => jsonOfProtobuf(Uint8Array.from(bytes), expected('Job')), new UnreadableError(text));
	}
});

test('arbitrary bytes are decoded or rejected with an API error', () => {
	const readOrRefused = (bytes: Uint8Array, kind: string): void => {
		try {
			decode(expected(kind).schema, jsonOfProtobuf(bytes, expected(kind)));
		} catch (error) {
			if (error instanceof UnreadableError || error instanceof DecodeError) return;
			assert.ok(error instanceof ApiError && error.code === 400, String(error));
		}
	};
	const kinds = fc.constantFrom(...EXPECTED.map(({ kind }) => kind));
	const message = fc.uint8Array({ maxLength: 200 });
	fc.assert(
		fc.property(kinds, message, (kind, bytes) => {
			readOrRefused(bytes, kind);
			readOrRefused(enveloped('', '', [...bytes]), kind);
		}),
	);
	const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
	fc.assert(
		fc.property(
			fc.constantFrom(...goldens),
			changes,
			fc.nat(),
			fc.boolean(),
			({ kind, bytes }, changed, length, cut) => {
				const mutated = bytes.slice(0, cut ? length % bytes.length : undefined);
				for (const [at, byte] of changed) if (mutated.length > 0) mutated[at % mutated.length] = byte;
				readOrRefused(mutated, kind);
			},
		),
		{ numRuns: 1000 },
	);
});
