import assert from 'node:assert/strict';
import test from 'node:test';
import { jobs } from '../batch/job/definition.ts';
import { events } from '../core/event/definition.ts';
import { pods } from '../core/pod/definition.ts';
import { objectMetaSchema } from '../meta/object-meta.ts';
import type { ObjectNode } from '../schema/schema.ts';
import { readObject } from './message.ts';
import { delimitedField, numberField } from './testing/wire-writer.ts';
import { WireError, WireReader } from './wire-reader.ts';

type Bytes = readonly number[];

/** The message as JSON text, so that assertions cover keys like __proto__ and the order of keys. */
function jsonOf(schema: ObjectNode, ...fields: readonly Bytes[]): string {
	return JSON.stringify(readObject(new WireReader(Uint8Array.from(fields.flat())), schema));
}

const NAME = 1;
const CREATION_TIMESTAMP = 8;
const LABELS = 11;
const FINALIZERS = 14;
const MANAGED_FIELDS = 17;

function label(key: string, value: string): Bytes {
	return delimitedField(LABELS, [...delimitedField(1, key), ...delimitedField(2, value)]);
}

/** The message of a Pod whose spec has these `fields`. */
function podSpec(...fields: readonly Bytes[]): Bytes {
	return delimitedField(2, fields.flat());
}

test('fields may come in any order and include unknown ones, and the last value of a field wins', () => {
	const text = jsonOf(
		objectMetaSchema,
		numberField(7, 3),
		delimitedField(999, 'later versions have it'),
		delimitedField(NAME, 'first'),
		delimitedField(NAME, 'last'),
		numberField(536_870_911, 1),
	);
	assert.equal(text, '{"generation":3,"name":"last"}');
});

test('a JSON field without a number in the table is not read', () => {
	assert.equal(jsonOf(jobs.schema, delimitedField(4, 'kind'), delimitedField(1, [])), '{"metadata":{}}');
});

test('zero values are kept, since decoding drops them', () => {
	const meta = [delimitedField(NAME, ''), numberField(7, 0), delimitedField(CREATION_TIMESTAMP, [])];
	assert.equal(jsonOf(objectMetaSchema, ...meta), '{"name":"","generation":0,"creationTimestamp":null}');
});

test('several messages of one field are merged', () => {
	const text = jsonOf(
		pods.schema,
		podSpec(delimitedField(10, 'node'), delimitedField(2, delimitedField(1, 'a'))),
		podSpec(numberField(4, 30)),
		podSpec(delimitedField(2, delimitedField(1, 'b'))),
	);
	const spec = {
		nodeName: 'node',
		containers: [{ name: 'a' }, { name: 'b' }],
		terminationGracePeriodSeconds: 30,
	};
	assert.equal(text, JSON.stringify({ spec }));
});

test('a list of numbers may be packed or not', () => {
	const groups = podSpec(
		delimitedField(14, [...numberField(4, 1), ...delimitedField(4, [2, 0xac, 2]), ...numberField(4, 3)]),
	);
	assert.equal(
		jsonOf(pods.schema, groups),
		'{"spec":{"securityContext":{"supplementalGroups":[1,2,300,3]}}}',
	);
	assert.equal(
		jsonOf(objectMetaSchema, delimitedField(FINALIZERS, 'a/b'), delimitedField(FINALIZERS, '')),
		'{"finalizers":["a/b",""]}',
	);
});

test('a map accepts any key, the last value of a key wins, and a missing value is null', () => {
	assert.equal(
		jsonOf(
			objectMetaSchema,
			label('b', '1'),
			label('__proto__', '2'),
			label('b', '3'),
			delimitedField(LABELS, []),
		),
		'{"labels":{"b":"3","__proto__":"2","":null}}',
	);
});

test('the fields of an inlined message become fields of the enclosing object', () => {
	const exec = delimitedField(1, delimitedField(1, 'true'));
	const probe = [...delimitedField(1, exec), ...numberField(4, 5)];
	const container = delimitedField(2, delimitedField(10, probe));
	const expected = { livenessProbe: { exec: { command: ['true'] }, periodSeconds: 5 } };
	assert.deepEqual(JSON.parse(jsonOf(pods.schema, podSpec(container))), { spec: { containers: [expected] } });
});

test('a time becomes RFC 3339 text in whole seconds or in microseconds', () => {
	const instant = (seconds: number, nanos: number): Bytes => [
		...numberField(1, seconds),
		...numberField(2, nanos),
	];
	const rows: readonly (readonly [
		seconds: number,
		nanos: number,
		time: string | null,
		microTime: string | null,
	])[] = [
		[0, 0, '1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000000Z'],
		[1_767_225_600, 123_456_789, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.123456Z'],
		[-1, 999_999_999, '1969-12-31T23:59:59Z', '1969-12-31T23:59:59.999999Z'],
		[10, -1_000, '1970-01-01T00:00:10Z', '1970-01-01T00:00:09.999999Z'],
		[10, 2_000_000_000, '1970-01-01T00:00:10Z', '1970-01-01T00:00:12.000000Z'],
		[-62_135_596_800, 0, null, null],
		[253_402_300_799, 0, '9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000000Z'],
	];
	for (const [seconds, nanos, time, microTime] of rows) {
		const fields = [delimitedField(7, instant(seconds, nanos)), delimitedField(10, instant(seconds, nanos))];
		const expected = JSON.stringify({ lastTimestamp: time, eventTime: microTime });
		assert.equal(jsonOf(events.schema, ...fields), expected);
	}
	assert.equal(
		jsonOf(events.schema, delimitedField(7, numberField(2, 1)), delimitedField(10, [])),
		'{"lastTimestamp":"1970-01-01T00:00:00Z","eventTime":null}',
	);
});

test('an IntOrString becomes its number or its string, by its type', () => {
	const port = (...fields: readonly Bytes[]): Bytes => {
		const socket = delimitedField(3, delimitedField(1, fields.flat()));
		return podSpec(delimitedField(2, delimitedField(10, delimitedField(1, socket))));
	};
	const portOf = (...fields: readonly Bytes[]): unknown =>
		JSON.parse(jsonOf(pods.schema, port(...fields))).spec.containers[0].livenessProbe.tcpSocket.port;
	const both = [numberField(2, -8), delimitedField(3, 'http')];
	assert.equal(portOf(numberField(1, 0), ...both), -8);
	assert.equal(portOf(numberField(1, 1), ...both), 'http');
	assert.equal(portOf(), 0);
	assert.throws(
		() => portOf(numberField(1, 2), ...both),
		/^WireError: impossible IntOrString.Type for field spec\./,
	);
});

test('an error names the path of the field', () => {
	const rows: readonly (readonly [schema: ObjectNode, fields: Bytes, text: string])[] = [
		[jobs.schema, numberField(2, 1), 'proto: wrong wireType = 0 for field spec'],
		[
			jobs.schema,
			delimitedField(2, delimitedField(1, 'x')),
			'proto: wrong wireType = 2 for field spec.parallelism',
		],
		[jobs.schema, delimitedField(2, [0x32, 9]), 'unexpected EOF for field spec.template'],
		[
			pods.schema,
			podSpec(delimitedField(2, [0x0a, 1, 0xff])),
			'proto: invalid UTF-8 for field spec.containers.name',
		],
		[objectMetaSchema, numberField(FINALIZERS, 1), 'proto: wrong wireType = 0 for field finalizers'],
		[
			objectMetaSchema,
			delimitedField(LABELS, numberField(2, 1)),
			'proto: wrong wireType = 0 for field labels.value',
		],
		[
			objectMetaSchema,
			delimitedField(CREATION_TIMESTAMP, numberField(1, 2 ** 40)),
			'time out of range for field creationTimestamp',
		],
		[
			objectMetaSchema,
			delimitedField(MANAGED_FIELDS, delimitedField(7, delimitedField(1, '{'))),
			'invalid JSON for field managedFields.fieldsV1',
		],
		[objectMetaSchema, [0x00], 'proto: illegal tag 0 (wire type 0)'],
	];
	for (const [schema, fields, text] of rows) {
		assert.throws(
			() => jsonOf(schema, fields),
			(error) => error instanceof WireError && error.message === text,
			text,
		);
	}
});
