import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { DEFAULT_CLASS_ANNOTATION, defaultClassOf, storageClasses } from './definition.ts';
import { type StorageClass, storageClassSchema } from './schema.ts';

function classOf(fields: object = {}, metadata: object = {}): StorageClass {
	const json = {
		metadata: { name: 's', uid: 'u', resourceVersion: '1', ...metadata },
		...{ provisioner: 'example.com/p', ...fields },
	};
	return storageClasses.defaults(decode(storageClassSchema, json).value);
}

const { validateCreate, validateUpdate } = storageClasses.strategy;

function texts(errors: ReturnType<typeof validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaulting sets the reclaim policy and the binding mode', () => {
	const { reclaimPolicy, volumeBindingMode } = classOf();
	assert.deepEqual([reclaimPolicy, volumeBindingMode], ['Delete', 'Immediate']);
});

const terms = (...values: readonly string[]): object => ({
	allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values }] }],
});

const REFUSED: readonly (readonly [object, string])[] = [
	[{ provisioner: '' }, 'provisioner: Required value'],
	[
		{ reclaimPolicy: 'Recycle' },
		'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
	],
	[
		{ volumeBindingMode: 'x' },
		'volumeBindingMode: Unsupported value: "x": supported values: "Immediate", "WaitForFirstConsumer"',
	],
	[{ parameters: { '': 'x' } }, 'parameters: Invalid value: "": field can not be empty.'],
	[{ parameters: { a: 'x'.repeat(262_144) } }, 'parameters: Too long: may not be more than 262144 bytes'],
	[terms(), 'allowedTopologies[0].matchLabelExpressions[0].values: Required value'],
	[terms('a', 'a'), 'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"'],
	[{ allowedTopologies: [{}, {}] }, 'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
];

test('a create is refused for each broken rule with the text of upstream', () => {
	assert.deepEqual(texts(validateCreate(classOf({ ...terms('a'), parameters: { a: 'b' } }))), []);
	for (const [fields, text] of REFUSED) {
		assert.equal(
			texts(validateCreate(classOf(fields))).join('; '),
			text,
			JSON.stringify(fields).slice(0, 99),
		);
	}
});

test('an update can change neither provisioner, parameters, reclaim policy nor binding mode', () => {
	const next = classOf({
		...{ provisioner: 'b', parameters: { a: 'b' }, reclaimPolicy: 'Retain' },
		...{ volumeBindingMode: 'WaitForFirstConsumer', allowVolumeExpansion: true },
	});
	assert.deepEqual(texts(validateUpdate(next, classOf())), [
		'parameters: Invalid value: {"a":"b"}: field is immutable',
		'provisioner: Invalid value: "b": field is immutable',
		'reclaimPolicy: Invalid value: "Retain": field is immutable',
		'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
	]);
});

test('the newest marked class is the default, and of equally old ones the first by name', () => {
	const marked = (name: string, creationTimestamp: string): StorageClass =>
		classOf({}, { name, creationTimestamp, annotations: { [DEFAULT_CLASS_ANNOTATION]: 'true' } });
	const old = marked('a', '2026-01-01T00:00:00Z');
	const recent = marked('c', '2026-01-02T00:00:00Z');
	const equal = marked('b', '2026-01-02T00:00:00Z');
	assert.equal(defaultClassOf([classOf()]), undefined);
	assert.equal(defaultClassOf([old, recent])?.metadata.name, 'c');
	assert.equal(defaultClassOf([old, recent, equal])?.metadata.name, 'b');
});

test('the printer columns of a StorageClass are those of kubectl', () => {
	const given = classOf({}, { annotations: { [DEFAULT_CLASS_ANNOTATION]: 'true' } });
	const cells = storageClasses.columns.map(({ cell }) => cell(given, 0));
	assert.deepEqual(cells, ['s (default)', 'example.com/p', 'Delete', 'Immediate', false, '<unknown>']);
});
