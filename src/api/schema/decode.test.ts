import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepFreeze } from '../../base/json/freeze.ts';
import { readJson } from '../../base/json/json-reader.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import { DecodeError, decode } from './decode.ts';
import { strictlyUndecodable, strictTexts, undecodable } from './decode-errors.ts';
import {
	boolean,
	bytes,
	int32,
	int64,
	intOrString,
	list,
	map,
	mapList,
	microTime,
	nullable,
	object,
	omitZero,
	optional,
	quantity,
	raw,
	rawObject,
	required,
	string,
	time,
} from './schema.ts';

const containerSchema = object('io.k8s.api.core.v1.Container', 'c', {
	name: required(string, 'n'),
	image: optional(string, 'i'),
	command: optional(list(string), 'c'),
	limits: optional(map(quantity), 'l'),
	port: optional(intOrString, 'p'),
});
const specSchema = object('io.k8s.api.batch.v1.JobSpec', 's', {
	parallelism: optional(int32, 'p'),
	deadlineSeconds: optional(int64, 'd'),
	suspend: optional(boolean, 's'),
	attempts: omitZero(int32, 'a'),
	hostNetwork: omitZero(boolean, 'h'),
	timeZone: nullable(string, 't'),
	nodeName: optional(string, 'n'),
	containers: required(mapList(containerSchema, ['name']), 'c'),
	data: optional(map(bytes), 'd'),
	started: optional(time, 's'),
	renewed: optional(microTime, 'r'),
	free: optional(raw, 'f'),
	freeObject: optional(rawObject, 'f'),
});
const jobSchema = object('io.k8s.api.batch.v1.Job', 'j', {
	apiVersion: required(string, 'a'),
	kind: required(string, 'k'),
	metadata: required(objectMetaSchema, 'm'),
	spec: required(specSchema, 's'),
});

function job(spec: object): unknown {
	return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'a' }, spec: { containers: [], ...spec } };
}

function decodedSpec(spec: object): unknown {
	return decode(jobSchema, job(spec)).value.spec;
}

function failure(json: unknown): DecodeError {
	try {
		decode(jobSchema, json);
	} catch (error) {
		assert(error instanceof DecodeError);
		return error;
	}
	return assert.fail('decoding should have failed');
}

test('decode() returns the input itself if nothing needs a change', () => {
	const json = deepFreeze(
		job({
			parallelism: 0,
			suspend: false,
			timeZone: '',
			containers: [{ name: 'a', command: ['x', ''], limits: { cpu: '500m' }, port: 'http' }],
			started: '2026-01-31T08:00:00Z',
			free: [{ any: null }],
		}),
	);
	assert.equal(decode(jobSchema, json).value, json);
});

test('decode() copies only the changed parts of an object', () => {
	const containers = [{ name: 'a' }, { name: 'b', limits: { cpu: 1.5 } }];
	const json = deepFreeze(job({ containers }));
	const { value } = decode(jobSchema, json);
	assert.deepEqual(value.spec.containers[1], { name: 'b', limits: { cpu: '1500m' } });
	assert.equal(value.spec.containers[0], containers[0]);
	assert.equal(value.metadata, (json as { metadata: unknown }).metadata);
});

test('decode() prunes unknown fields and reports their paths', () => {
	const json = job({ foo: 1, containers: [{ name: 'a' }, { name: 'b', Image: 'x', image: 'y' }] });
	const { value, problems } = decode(jobSchema, json);
	assert.deepEqual(value.spec, { containers: [{ name: 'a' }, { name: 'b', image: 'y' }] });
	assert.deepEqual(strictTexts(problems), [
		'unknown field "spec.containers[1].Image"',
		'unknown field "spec.foo"',
	]);
});

test('decode() reports duplicate fields in the order of the input, but none below an unknown field', () => {
	const text =
		'{"spec":{"parallelism":1,"a":{"b":1,"b":2},"parallelism":2,"z":1},"metadata":{"labels":{"x":"1","x":"2","x":"3"}},"spec":{}}';
	const { value: json, repeated } = readJson(text, { values: 100, depth: 10 });
	const { value, problems } = decode(jobSchema, json, repeated);
	assert.equal(value.spec.parallelism, 2);
	assert.deepEqual(strictTexts(problems), [
		'unknown field "spec.a"',
		'duplicate field "spec.parallelism"',
		'unknown field "spec.z"',
		'duplicate field "metadata.labels.x"',
		'duplicate field "spec"',
	]);
});

test('decode() reports at most a hundred problems', () => {
	const unknown = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, 1]));
	assert.equal(decode(jobSchema, unknown).problems.length, 100);
});

test('fields named like members of Object.prototype are unknown fields', () => {
	const json = JSON.parse('{"constructor":1,"__proto__":{"kind":"x"},"toString":2}');
	const { value, problems } = decode(jobSchema, json);
	assert.deepEqual(
		problems.map(({ path }) => path),
		['constructor', '__proto__', 'toString'],
	);
	assert.equal(value.kind, '');
	assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test('a map keeps any key, __proto__ included', () => {
	const json = JSON.parse('{"metadata":{"labels":{"__proto__":"x","b":null}}}');
	const { labels } = decode(jobSchema, json).value.metadata;
	assert.deepEqual(Object.entries(labels ?? {}), [
		['__proto__', 'x'],
		['b', ''],
	]);
});

test('decode() keeps 0 and false, but drops those of plain fields', () => {
	const given = { parallelism: 0, suspend: false, attempts: 0, hostNetwork: false };
	assert.deepEqual(decodedSpec(given), { parallelism: 0, suspend: false, containers: [] });
	const kept = { attempts: 2, hostNetwork: true, containers: [] };
	assert.deepEqual(decodedSpec(kept), kept);
});

test('null counts as absent, and a required field gets its zero value', () => {
	assert.deepEqual(
		decode(jobSchema, { metadata: null, spec: { parallelism: null, containers: [null] } }).value,
		{
			apiVersion: '',
			kind: '',
			metadata: {},
			spec: { containers: [{ name: '' }] },
		},
	);
});

test('decode() drops empty strings, lists and maps, except from pointer fields', () => {
	const json = job({
		nodeName: '',
		timeZone: '',
		data: {},
		containers: [{ name: '', command: [], limits: {} }],
	});
	const { value } = decode(jobSchema, json);
	assert.deepEqual(value.spec, { timeZone: '', containers: [{ name: '' }] });
});

test('decode() returns times, quantities and base64 in canonical spelling', () => {
	assert.deepEqual(
		decodedSpec({
			started: '2026-01-31T10:00:00.5+02:00',
			renewed: '2026-01-31T08:00:00.5Z',
			data: { a: 'aGVs\nbG8=', b: 'YR==', c: 'aGm=' },
			containers: [{ name: 'a', limits: { memory: ' 2048Mi', cpu: 2, x: '0.5' } }],
		}),
		{
			started: '2026-01-31T08:00:00Z',
			renewed: '2026-01-31T08:00:00.500000Z',
			data: { a: 'aGVsbG8=', b: 'YQ==', c: 'aGk=' },
			containers: [{ name: 'a', limits: { memory: '2Gi', cpu: '2', x: '500m' } }],
		},
	);
});

const mismatches: readonly (readonly [object, string, string])[] = [
	[
		{ parallelism: 'two' },
		'json: cannot unmarshal string into Go struct field JobSpec.spec.parallelism of type int32',
		'spec.parallelism',
	],
	[
		{ parallelism: 1.5 },
		'json: cannot unmarshal number 1.5 into Go struct field JobSpec.spec.parallelism of type int32',
		'spec.parallelism',
	],
	[
		{ parallelism: 3_000_000_000 },
		'json: cannot unmarshal number 3000000000 into Go struct field JobSpec.spec.parallelism of type int32',
		'spec.parallelism',
	],
	[
		{ containers: [{ name: 'a' }, { name: 5 }] },
		'json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string',
		'spec.containers[1].name',
	],
	[
		{ containers: { name: 'a' } },
		'json: cannot unmarshal object into Go struct field JobSpec.spec.containers of type []v1.Container',
		'spec.containers',
	],
	[
		{ containers: ['a'] },
		'json: cannot unmarshal string into Go struct field JobSpec.spec.containers of type v1.Container',
		'spec.containers[0]',
	],
	[
		{ suspend: 'true' },
		'json: cannot unmarshal string into Go struct field JobSpec.spec.suspend of type bool',
		'spec.suspend',
	],
	[
		{ containers: [{ name: 'a', port: true }] },
		'json: cannot unmarshal bool into Go struct field Container.spec.containers.port of type int32',
		'spec.containers[0].port',
	],
	[
		{ containers: [{ name: 'a', limits: { cpu: '1 core' } }] },
		"quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
		'spec.containers[0].limits.cpu',
	],
	[
		{ started: 'noon' },
		'parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"',
		'spec.started',
	],
	[
		{ started: '2026-13-01T00:00:00Z' },
		'parsing time "2026-13-01T00:00:00Z": month out of range',
		'spec.started',
	],
	[
		{ started: '2026-02-30T00:00:00Z' },
		'parsing time "2026-02-30T00:00:00Z": day out of range',
		'spec.started',
	],
	[
		{ started: '2026-01-31T08:00:00' },
		'parsing time "2026-01-31T08:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
		'spec.started',
	],
	[{ data: { a: 'a*bc' } }, 'illegal base64 data at input byte 1', 'spec.data.a'],
	[
		{ freeObject: 1 },
		'json: cannot unmarshal number into Go struct field JobSpec.spec.freeObject of type map[string]interface {}',
		'spec.freeObject',
	],
];

for (const [spec, message, path] of mismatches) {
	test(`decode() refuses ${JSON.stringify(spec)} with upstream's message`, () => {
		const error = failure(job(spec));
		assert.equal(error.message, message);
		assert.equal(error.path, path);
	});
}

test('an error names the field of a map, not its key, and no field for the root', () => {
	const labels = failure({ metadata: { labels: { a: 1 } } });
	const text = 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string';
	assert.equal(labels.message, text);
	assert.equal(labels.path, 'metadata.labels.a');
	assert.equal(failure([]).message, 'json: cannot unmarshal array into Go value of type v1.Job');
});

test("the message of the 400 is upstream's", () => {
	const error = undecodable({ kind: 'Job', version: 'v1' }, 'json: oops');
	assert.equal(error.message, 'Job in version "v1" cannot be handled as a Job: json: oops');
	assert.equal(error.code, 400);
	assert.equal(
		strictlyUndecodable({ kind: 'Job', version: 'v1' }, ['unknown field "spec.a"', 'unknown field "b"'])
			.message,
		'Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field "spec.a", unknown field "b"',
	);
});
