import assert from 'node:assert/strict';
import test from 'node:test';
import type { FieldError } from '../errors/field-path.ts';
import type { AccessSpec } from './access-spec.ts';
import { ignoredSelectors } from './ignored-selectors.ts';
import { validateAccess, validateLocalAccess, validateSelfAccess } from './validation.ts';

/** The rules of reviews of access, with the messages of 1.37. */

const PODS = { verb: 'get', resource: 'pods' };

function texts(errors: readonly FieldError[]): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('a review asks about exactly one action', () => {
	const of = (spec: object): readonly string[] => texts(validateSelfAccess({ metadata: {}, spec }));
	const one = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
	assert.deepEqual(of({ resourceAttributes: PODS }), []);
	assert.deepEqual(of({ nonResourceAttributes: {} }), []);
	assert.deepEqual(of({}), [`spec: Invalid value: "null": ${one}`]);
	const both = { resourceAttributes: PODS, nonResourceAttributes: { path: '/x', verb: 'get' } };
	assert.deepEqual(of(both), [`spec: Invalid value: {"Path":"/x","Verb":"get"}: ${one}`]);
	assert.deepEqual(
		texts(validateSelfAccess({ metadata: { name: 'x' }, spec: { resourceAttributes: PODS } })),
		['metadata: Invalid value: {"name":"x"}: must be empty'],
	);
	const managed = { metadata: { managedFields: [] }, spec: { resourceAttributes: PODS } };
	assert.deepEqual(texts(validateSelfAccess(managed)), []);
});

test('a review of another user names the user or a group', () => {
	const of = (spec: AccessSpec): readonly string[] =>
		texts(validateAccess({ metadata: {}, spec: { resourceAttributes: PODS, ...spec } }));
	assert.deepEqual(of({}), ['spec.user: Invalid value: "": at least one of user or group must be specified']);
	assert.deepEqual(of({ user: 'a' }), []);
	assert.deepEqual(of({ groups: ['a'] }), []);
});

test('a local review is about resources of its namespace', () => {
	const of = (spec: AccessSpec, metadata = {}): readonly string[] =>
		texts(validateLocalAccess({ metadata: { namespace: 'n', ...metadata }, spec: { user: 'a', ...spec } }));
	assert.deepEqual(of({ resourceAttributes: { ...PODS, namespace: 'n' } }), []);
	assert.deepEqual(of({ resourceAttributes: PODS }), [
		'spec.resourceAttributes.namespace: Invalid value: "": must match metadata.namespace',
	]);
	assert.deepEqual(of({ nonResourceAttributes: { path: '/x' } }), [
		'spec.nonResourceAttributes: Invalid value: {"Path":"/x","Verb":""}: disallowed on this kind of request',
	]);
	assert.deepEqual(of({ resourceAttributes: { ...PODS, namespace: 'n' } }, { name: 'x' }), [
		'metadata: Invalid value: {"namespace":"n","name":"x"}: must be empty except for namespace',
	]);
});

test('selectors have requirements or a text', () => {
	const of = (attributes: object): readonly string[] =>
		texts(validateSelfAccess({ metadata: {}, spec: { resourceAttributes: { ...PODS, ...attributes } } }));
	for (const name of ['fieldSelector', 'labelSelector']) {
		const path = `spec.resourceAttributes.${name}`;
		assert.deepEqual(of({ [name]: {} }), [
			`${path}.requirements: Required value: when ${path} is specified, requirements or rawSelector is required`,
		]);
		assert.deepEqual(
			of({ [name]: { rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'Exists' }] } }),
			[`${path}.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements`],
		);
		assert.deepEqual(of({ [name]: { requirements: [{ key: 'a', operator: 'In' }] } }), [
			`${path}.requirements[0].values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
		]);
		assert.deepEqual(of({ [name]: { requirements: [{ key: 'a', operator: 'Exists', values: ['b'] }] } }), [
			`${path}.requirements[0].values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
		]);
		assert.deepEqual(of({ [name]: { requirements: [{ key: 'a', operator: 'Later' }] } }), []);
	}
	assert.deepEqual(of({ fieldSelector: { requirements: [{ key: '', operator: 'Exists' }] } }), [
		'spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be specified',
	]);
	assert.match(
		of({ labelSelector: { requirements: [{ key: '', operator: 'Exists' }] } }).join(),
		/\[0\]\.key: Invalid/,
	);
});

test('selectors that cannot be understood are reported, and limit nothing', () => {
	const rows: readonly (readonly [attributes: object, text: string])[] = [
		[{}, ''],
		[{ labelSelector: { rawSelector: 'a=b' }, fieldSelector: { rawSelector: 'a=b' } }, ''],
		[
			{ labelSelector: { rawSelector: 'a b' }, fieldSelector: { rawSelector: 'a' } },
			'spec.resourceAttributes.fieldSelector ignored due to parse error; spec.resourceAttributes.labelSelector ignored due to parse error',
		],
		[
			{
				labelSelector: {
					requirements: [
						{ key: 'a', operator: 'Exists' },
						{ key: 'a', operator: 'Later' },
					],
				},
			},
			'spec.resourceAttributes.labelSelector partially ignored due to parse error',
		],
		[
			{ fieldSelector: { requirements: [{ key: 'a', operator: 'Exists' }] } },
			'spec.resourceAttributes.fieldSelector ignored due to parse error',
		],
		[{ fieldSelector: { requirements: [{ key: 'a', operator: 'In', values: ['b'] }] } }, ''],
	];
	for (const [attributes, text] of rows) assert.equal(ignoredSelectors(attributes), text);
	assert.equal(ignoredSelectors(undefined), '');
});
