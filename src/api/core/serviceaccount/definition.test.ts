import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { serviceAccounts } from './definition.ts';
import { type ServiceAccount, serviceAccountSchema } from './schema.ts';

const { prepareForCreate, prepareForUpdate, validateCreate, validateUpdate, warnings } =
	serviceAccounts.strategy;
const ENFORCED = { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } };

function account(fields: object = {}, metadata: object = {}): ServiceAccount {
	const meta = { name: 'builder', namespace: 'default', resourceVersion: '1', ...metadata };
	return decode(serviceAccountSchema, { metadata: meta, ...fields }).value;
}

test('of references to Secrets only the names are kept', () => {
	const given = account({ secrets: [{ kind: 'Secret', namespace: 'other', name: 's' }, {}] });
	for (const prepare of [prepareForCreate, prepareForUpdate]) {
		assert.deepEqual(prepare(given, account()).secrets, [{ name: 's' }, {}]);
	}
	assert.equal(prepareForCreate(account()).secrets, undefined);
});

test('false is kept as the value of automountServiceAccountToken', () => {
	assert.equal(account({ automountServiceAccountToken: false }).automountServiceAccountToken, false);
});

test('names must be DNS subdomains, and metadata is validated in updates too', () => {
	assert.deepEqual(validateCreate(account()), []);
	assert.deepEqual(
		validateCreate(account({}, { name: 'A_b' })).map(({ field }) => field),
		['metadata.name'],
	);
	assert.deepEqual(validateUpdate(account(), account()), []);
	assert.deepEqual(
		validateUpdate(account({}, { uid: 'b' }), account({}, { uid: 'a' })).map(({ field }) => field),
		['metadata.uid'],
	);
});

test('the deprecated annotation gets a warning when it is set, and not again', () => {
	const text =
		'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets';
	assert.deepEqual(warnings?.(account({}, ENFORCED), undefined), [text]);
	assert.deepEqual(warnings?.(account({}, ENFORCED), account()), [text]);
	assert.deepEqual(warnings?.(account({}, ENFORCED), account({}, ENFORCED)), []);
	assert.deepEqual(warnings?.(account(), undefined), []);
});
