import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { runtimeClasses } from './definition.ts';
import { type RuntimeClass, runtimeClassSchema } from './schema.ts';

function classOf(fields: object): RuntimeClass {
	const json = { metadata: { name: 'c', uid: 'u', resourceVersion: '1' }, handler: 'h', ...fields };
	return runtimeClasses.defaults(decode(runtimeClassSchema, json).value);
}

const { validateCreate, validateUpdate } = runtimeClasses.strategy;

function texts(errors: ReturnType<typeof validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('a create is refused for each broken rule with the text of upstream', () => {
	const toleration = { key: 'a', operator: 'Exists' };
	const rows: readonly (readonly [object, string])[] = [
		[{ handler: '' }, 'handler: Required value'],
		[
			{ overhead: { podFixed: { cpu: '-1' } } },
			'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
		],
		[
			{ scheduling: { tolerations: [toleration, toleration] } },
			'scheduling.tolerations[1]: Duplicate value: {"key":"a","operator":"Exists"}',
		],
	];
	assert.deepEqual(texts(validateCreate(classOf({}))), []);
	for (const [fields, text] of rows) assert.deepEqual(texts(validateCreate(classOf(fields))), [text]);
	assert.match(
		texts(validateCreate(classOf({ handler: 'A.b' }))).join(),
		/^handler: Invalid value: "A.b": a lowercase/,
	);
});

test('an update cannot change the handler', () => {
	assert.deepEqual(texts(validateUpdate(classOf({ handler: 'x' }), classOf({}))), [
		'handler: Invalid value: "x": field is immutable',
	]);
});
