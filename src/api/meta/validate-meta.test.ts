import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldPath } from '../errors/field-path.ts';
import { dns1123Subdomain } from './names.ts';
import type { ObjectMeta } from './object-meta.ts';
import { validateMeta, validateMetaUpdate } from './validate-meta.ts';

const path = new FieldPath('metadata');
const rules = { namespaced: true, name: dns1123Subdomain };
const good: ObjectMeta = { name: 'a', namespace: 'n', uid: 'u', resourceVersion: '1', generation: 2 };

function problems(meta: ObjectMeta, namespaced = true): readonly string[] {
	return validateMeta(meta, { ...rules, namespaced }, path).map(
		({ field, message }) => `${field}: ${message}`,
	);
}

function updateProblems(meta: ObjectMeta, old: ObjectMeta = good): readonly string[] {
	return validateMetaUpdate(meta, old, path).map(({ field, message }) => `${field}: ${message}`);
}

test('validation accepts valid metadata', () => {
	assert.deepEqual(problems(good), []);
	assert.deepEqual(problems({ name: 'a' }, false), []);
	assert.deepEqual(updateProblems(good), []);
});

test('a name is required, and a namespace exactly if the kind is namespaced', () => {
	assert.deepEqual(problems({ namespace: 'n' }), [
		'metadata.name: Required value: name or generateName is required',
	]);
	assert.deepEqual(problems({ name: 'a' }), ['metadata.namespace: Required value']);
	assert.deepEqual(problems({ name: 'a', namespace: 'n' }, false), [
		'metadata.namespace: Forbidden: not allowed on this type',
	]);
	assert.deepEqual(problems({ ...good, namespace: 'a.b' }), [
		'metadata.namespace: Invalid value: "a.b": must not contain dots',
	]);
});

test('generateName is validated as a prefix', () => {
	assert.deepEqual(problems({ ...good, generateName: 'job-' }), []);
	assert.match(
		problems({ ...good, generateName: 'Job-' })[0] ?? '',
		/^metadata.generateName: Invalid value: "Job-": /,
	);
});

test('keys of labels and annotations, and values of labels, must have the right syntax', () => {
	const found = problems({ ...good, labels: { 'a b': '-' }, annotations: { 'A/B': 'any thing', '': 'x' } });
	assert.deepEqual(
		found.map((text) => text.slice(0, 50)),
		[
			'metadata.labels: Invalid value: "a b": name part m',
			'metadata.labels: Invalid value: "-": a valid label',
			'metadata.annotations: Invalid value: "": name part',
			'metadata.annotations: Invalid value: "": name part',
		],
	);
});

test('annotations have at most 256 KiB in total', () => {
	const limit = 256 * 1024;
	assert.deepEqual(problems({ ...good, annotations: { a: 'x'.repeat(limit - 1) } }), []);
	assert.deepEqual(problems({ ...good, annotations: { a: `é${'x'.repeat(limit - 2)}` } }), [
		'metadata.annotations: Too long: may not be more than 262144 bytes',
	]);
});

test('an owner reference must be complete, and only one may be the controller', () => {
	const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: '1', controller: true };
	assert.deepEqual(problems({ ...good, ownerReferences: [owner, { ...owner, controller: false }] }), []);
	const two = problems({ ...good, ownerReferences: [owner, { ...owner, name: 'k' }] });
	assert.match(
		two.join(),
		/Only one reference can have Controller set to true. Found "true" in references for Job\/j and Job\/k$/,
	);
	assert.deepEqual(
		problems({ ...good, ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] }),
		[
			'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
			'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
			'metadata.ownerReferences.name: Invalid value: "": must not be empty',
			'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
		],
	);
});

test('finalizers have the syntax of label keys, and orphan excludes foregroundDeletion', () => {
	assert.deepEqual(problems({ ...good, finalizers: ['batch.kubernetes.io/job-tracking', 'orphan'] }), []);
	assert.deepEqual(problems({ ...good, finalizers: ['orphan', 'foregroundDeletion'] }), [
		'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
	]);
});

test('an update must not change the fields that identify the object', () => {
	assert.deepEqual(
		updateProblems({ ...good, name: 'b', uid: 'v', creationTimestamp: '2026-01-31T08:00:00Z' }),
		[
			'metadata.name: Invalid value: "b": field is immutable',
			'metadata.uid: Invalid value: "v": field is immutable',
			'metadata.creationTimestamp: Invalid value: "2026-01-31T08:00:00Z": field is immutable',
		],
	);
	assert.deepEqual(updateProblems(good, { ...good, deletionTimestamp: '2026-01-31T08:00:00Z' }), [
		'metadata.deletionTimestamp: Invalid value: null: field is immutable',
	]);
});

test('an update must state the resourceVersion and not decrement the generation', () => {
	assert.deepEqual(updateProblems({ ...good, resourceVersion: '', generation: 1 }), [
		'metadata.resourceVersion: Invalid value: "": must be specified for an update',
		'metadata.generation: Invalid value: 1: must not be decremented',
	]);
});

test('new finalizers are refused while an object is being deleted', () => {
	const old = { ...good, deletionTimestamp: '2026-01-31T08:00:00Z', finalizers: ['a/b'] };
	assert.deepEqual(updateProblems({ ...old, finalizers: [] }, old), []);
	assert.deepEqual(updateProblems({ ...old, finalizers: ['a/b', 'c/d', 'a/a'] }, old), [
		'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a/a", "c/d"}',
	]);
});
