import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { namespaces } from './definition.ts';
import { type Namespace, namespaceSchema } from './schema.ts';

function namespace(spec: object = {}, status: object = {}, metadata: object = {}): Namespace {
	const json = { metadata: { name: 'team', uid: 'u', resourceVersion: '1', ...metadata }, spec, status };
	return namespaces.defaults(decode(namespaceSchema, json).value);
}

function texts(errors: ReturnType<typeof namespaces.strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaulting sets the name label of a Namespace', () => {
	assert.deepEqual(
		namespace({}, {}, { labels: { a: 'b', 'kubernetes.io/metadata.name': 'x' } }).metadata.labels,
		{
			a: 'b',
			'kubernetes.io/metadata.name': 'team',
		},
	);
	assert.equal(namespace({}, {}, { name: '', generateName: 't-' }).metadata.labels, undefined);
});

test('a created Namespace is Active and has the finalizer kubernetes', () => {
	const created = namespaces.strategy.prepareForCreate(namespace({}, { phase: 'Terminating' }));
	assert.deepEqual(created.spec, { finalizers: ['kubernetes'] });
	assert.deepEqual(created.status, { phase: 'Active' });
	const own = namespaces.strategy.prepareForCreate(namespace({ finalizers: ['acme.io/x'] }));
	assert.deepEqual(own.spec.finalizers, ['acme.io/x', 'kubernetes']);
});

test('an update of a Namespace changes only metadata, one of its status all but the spec', () => {
	const old = namespaces.strategy.prepareForCreate(namespace());
	const updated = namespaces.strategy.prepareForUpdate(
		namespace({ finalizers: [] }, { phase: 'Terminating' }),
		old,
	);
	assert.equal(updated.spec, old.spec);
	assert.equal(updated.status, old.status);
	const status = namespaces.status?.prepareForUpdate(namespace({}, { phase: 'Terminating' }), old);
	assert.equal(status?.spec, old.spec);
	assert.equal(status?.status.phase, 'Terminating');
});

test('validation checks the name and the finalizers of a Namespace', () => {
	assert.deepEqual(
		texts(namespaces.strategy.validateCreate(namespace({ finalizers: ['kubernetes', 'acme.io/x'] }))),
		[],
	);
	assert.deepEqual(texts(namespaces.strategy.validateCreate(namespace({ finalizers: ['mine'] }))), [
		'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
	]);
	assert.deepEqual(texts(namespaces.strategy.validateCreate(namespace({}, {}, { name: 'a.b' }))), [
		'metadata.name: Invalid value: "a.b": must not contain dots',
	]);
});

test('validation accepts the phase Terminating only with a deletionTimestamp, and Active only without', () => {
	const deleted = { deletionTimestamp: '2026-01-31T08:00:00Z' };
	const check = (given: Namespace): readonly string[] =>
		texts(namespaces.status?.validateUpdate(given, given) ?? []);
	assert.deepEqual(check(namespace({}, { phase: 'Active' })), []);
	assert.deepEqual(check(namespace({}, { phase: 'Terminating' }, deleted)), []);
	assert.deepEqual(check(namespace({}, { phase: 'Terminating' })), [
		'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
	]);
	assert.deepEqual(check(namespace({}, { phase: 'Active' }, deleted)), [
		'status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
	]);
});

test('the printer columns and selectable fields of a Namespace are those of upstream', () => {
	const active = namespace({}, { phase: 'Active' });
	assert.deepEqual(
		namespaces.columns.map(({ name, cell }) => [name, cell(active, 0)]),
		[
			['Name', 'team'],
			['Status', 'Active'],
			['Age', '<unknown>'],
		],
	);
	assert.deepEqual(namespaces.selectableFields(active), { name: 'team', 'status.phase': 'Active' });
});
