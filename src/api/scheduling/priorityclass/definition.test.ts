import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { priorityClasses, SYSTEM_PRIORITY_CLASSES } from './definition.ts';
import { type PriorityClass, priorityClassSchema } from './schema.ts';

function classOf(fields: object = {}, metadata: object = {}): PriorityClass {
	const json = { metadata: { name: 'high', ...metadata }, value: 10, ...fields };
	return priorityClasses.defaults(decode(priorityClassSchema, json).value);
}

const { validateCreate, validateUpdate, prepareForCreate } = priorityClasses.strategy;

function texts(errors: ReturnType<typeof validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaulting sets the preemption policy to PreemptLowerPriority', () => {
	assert.equal(classOf().preemptionPolicy, 'PreemptLowerPriority');
	assert.equal(classOf({ preemptionPolicy: 'Never' }).preemptionPolicy, 'Never');
	assert.equal(prepareForCreate(classOf()).metadata.generation, 1);
});

test('a create is refused with an invalid name, value or policy', () => {
	assert.deepEqual(texts(validateCreate(classOf())), []);
	assert.deepEqual(texts(validateCreate(classOf({ value: -2147483648 }))), []);
	assert.deepEqual(texts(validateCreate(classOf({ value: 1_000_000_000 }))), []);
	assert.deepEqual(texts(validateCreate(classOf({ value: 1_000_000_001 }))), [
		'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
	]);
	assert.deepEqual(texts(validateCreate(classOf({ preemptionPolicy: 'Sometimes' }))), [
		'preemptionPolicy: Unsupported value: "Sometimes": supported values: "PreemptLowerPriority", "Never"',
	]);
});

test('only the system classes, with their exact values, can have a name with the system prefix', () => {
	const reserved = (name: string, fields: object): readonly string[] =>
		texts(validateCreate(classOf(fields, { name })));
	const text = (reason: string): string =>
		`metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ${reason}`;
	for (const { name, value } of SYSTEM_PRIORITY_CLASSES) assert.deepEqual(reserved(name, { value }), []);
	assert.deepEqual(reserved('system-mine', {}), [text('system-mine is not a known system priority class')]);
	assert.deepEqual(reserved('system-node-critical', { value: 1 }), [
		text('value of system-node-critical PriorityClass must be 2000001000'),
	]);
	assert.deepEqual(reserved('system-node-critical', { value: 2_000_001_000, globalDefault: true }), [
		text('globalDefault of system-node-critical PriorityClass must be false'),
	]);
});

test('an update can change neither value nor policy, but the other fields', () => {
	const known = { uid: 'u', resourceVersion: '1' };
	const old = classOf({}, known);
	assert.deepEqual(texts(validateUpdate(classOf({ description: 'x', globalDefault: true }, known), old)), []);
	assert.deepEqual(texts(validateUpdate(classOf({ value: 11, preemptionPolicy: 'Never' }, known), old)), [
		'value: Forbidden: may not be changed in an update.',
		'preemptionPolicy: Invalid value: "Never": field is immutable',
	]);
});

test('the printer columns of a PriorityClass are those of kubectl', () => {
	const cells = priorityClasses.columns.map(({ cell }) => cell(classOf(), 0));
	assert.deepEqual(cells, ['high', 10, false, '<unknown>', 'PreemptLowerPriority']);
});
