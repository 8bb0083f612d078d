import assert from 'node:assert/strict';
import { test } from 'node:test';
import { object, optional, required, string } from '../schema/schema.ts';
import { exactValue, matchesFields, parseFieldSelector, supportedFields } from './field-selector.ts';
import { type KubeObject, objectMetaSchema } from './object-meta.ts';

interface Thing extends KubeObject {
	readonly phase?: string;
}

const schema = object('io.example.Thing', 't', {
	apiVersion: required(string, 'a'),
	kind: required(string, 'k'),
	metadata: required(objectMetaSchema, 'm'),
	phase: optional(string, 'p'),
});
const things = {
	group: '',
	version: 'v1',
	kind: 'Thing',
	namespaced: true,
	schema,
	selectableFields: (thing: Thing) => ({ phase: thing.phase ?? '' }),
};
const other = { ...things, group: 'batch', kind: 'Job' };
const plain = { ...things, schema: { ...schema }, selectableFields: () => ({}) };
const thing: Thing = {
	apiVersion: 'v1',
	kind: 'Thing',
	metadata: { name: 'a', namespace: 'n' },
	phase: 'Running',
};

function selects(text: string): boolean {
	return matchesFields(parseFieldSelector(text, things), things, thing);
}

test('an object matches if all terms of the selector hold', () => {
	for (const text of ['', 'metadata.name=a', 'metadata.name==a,phase!=Done', 'phase=Running,', 'phase!=']) {
		assert(selects(text), text);
	}
	for (const text of [
		'metadata.name=b',
		'metadata.name!=a',
		'phase=',
		'metadata.namespace=',
		'phase=Running,phase=x',
	]) {
		assert(!selects(text), text);
	}
});

test('an absent field matches an empty value', () => {
	const selector = parseFieldSelector('phase=', things);
	assert(matchesFields(selector, things, { ...thing, phase: undefined } as unknown as Thing));
});

test('parsing unescapes values', () => {
	const selector = parseFieldSelector('phase=a\\,b\\=c\\\\d', things);
	assert.equal(selector[0]?.value, 'a,b=c\\d');
	assert.equal(exactValue(parseFieldSelector('phase!=a,metadata.name=b', things), 'metadata.name'), 'b');
	assert.equal(exactValue(parseFieldSelector('metadata.name!=b', things), 'metadata.name'), undefined);
});

const errors: readonly (readonly [string, string])[] = [
	['abc', "invalid selector: 'abc'; can't understand 'abc'"],
	['phase=a=b', 'invalid field selector: unescaped character in value: 61'],
	['phase=a\\b', 'invalid field selector: invalid escape sequence: \\b'],
	['phase=a\\', 'invalid field selector: invalid escape sequence: \\'],
	['foo=b', 'field label not supported: foo'],
];

for (const [text, message] of errors) {
	test(`parseFieldSelector() refuses ${text} with upstream's message`, () => {
		assert.throws(() => parseFieldSelector(text, things), { code: 400, message });
	});
}

test('the error for an unsupported field depends on the API group', () => {
	assert.throws(() => parseFieldSelector('foo=b', other), {
		message: 'field label "foo" not supported for batchv1.Job',
	});
	assert.throws(() => parseFieldSelector('foo=b', plain), {
		message: '"foo" is not a known field selector: only "metadata.name", "metadata.namespace"',
	});
});

test('a cluster-scoped kind with fields of its own cannot be selected by namespace', () => {
	assert.deepEqual(supportedFields({ ...things, namespaced: false }), ['metadata.name', 'phase']);
	assert.deepEqual(supportedFields({ ...plain, namespaced: false }), ['metadata.name', 'metadata.namespace']);
});
