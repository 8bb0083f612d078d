import assert from 'node:assert/strict';
import test from 'node:test';
import { managedFieldsAfter, withManagedFields } from './managed-fields.ts';

const entry = (manager: string): object => ({
	...{ manager, operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' },
	fieldsV1: { 'f:metadata': { 'f:labels': {} } },
});
const STORED = [entry('stored')];

test('a client that sends no managedFields keeps the stored ones', () => {
	for (const sent of [undefined, []]) {
		assert.equal(managedFieldsAfter({ sent, stored: STORED, subresource: '' }), STORED);
		assert.equal(managedFieldsAfter({ sent, stored: undefined, subresource: '' }), undefined);
	}
});

test('sent managedFields replace the stored ones', () => {
	const sent = [entry('a'), { ...entry('b'), operation: 'Apply' }];
	assert.equal(managedFieldsAfter({ sent, stored: STORED, subresource: '' }), sent);
	assert.equal(managedFieldsAfter({ sent, stored: undefined, subresource: '' }), sent);
});

test('one empty entry deletes them; two do not', () => {
	assert.equal(managedFieldsAfter({ sent: [{}], stored: STORED, subresource: '' }), undefined);
	assert.equal(managedFieldsAfter({ sent: [{ manager: '' }], stored: STORED, subresource: '' }), undefined);
	assert.equal(managedFieldsAfter({ sent: [{}, {}], stored: STORED, subresource: '' }), STORED);
});

test('a list with an entry that cannot be read counts as none', () => {
	for (const change of [
		{ operation: 'Other' },
		{ apiVersion: '' },
		{ fieldsType: '' },
		{ fieldsType: 'FieldsV2' },
	]) {
		const sent = [entry('a'), { ...entry('b'), ...change }];
		assert.equal(managedFieldsAfter({ sent, stored: STORED, subresource: '' }), STORED);
	}
});

test('a write to a subresource neither replaces nor deletes them', () => {
	for (const sent of [[{}], [entry('a')]]) {
		assert.equal(managedFieldsAfter({ sent, stored: STORED, subresource: 'status' }), STORED);
	}
});

test('an object gets the list, or loses the field', () => {
	const object = { kind: 'Pod', metadata: { name: 'p', managedFields: STORED } };
	assert.equal(withManagedFields(object, STORED), object);
	assert.deepEqual(withManagedFields(object, undefined), { kind: 'Pod', metadata: { name: 'p' } });
	assert.deepEqual(withManagedFields({ metadata: {} }, STORED), { metadata: { managedFields: STORED } });
});
