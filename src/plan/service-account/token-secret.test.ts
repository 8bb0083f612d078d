import assert from 'node:assert/strict';
import test from 'node:test';
import type { Secret } from '../../api/core/secret/schema.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import { base64OfText } from '../../base/base64.ts';
import { problemOfLegacyToken } from './legacy-token.ts';
import { planTokenSecret, tokenAccountOf, withoutReference, withToken } from './token-secret.ts';

const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';
const ACCOUNT: ServiceAccount = {
	apiVersion: 'v1',
	kind: 'ServiceAccount',
	metadata: { name: 'robot', namespace: 'ns', uid: 'u1' },
};

function secretOf(annotations: Record<string, string>, data?: Record<string, string>): Secret {
	return {
		apiVersion: 'v1',
		kind: 'Secret',
		type: 'kubernetes.io/service-account-token',
		metadata: { name: 's', namespace: 'ns', uid: 'u2', annotations },
		...(data && { data }),
	};
}

test('an empty Secret gets a token, the certificate, its namespace and the UID of the account', () => {
	const plan = planTokenSecret(secretOf({ [NAME]: 'robot', kept: 'x' }), ACCOUNT, 'pem');
	assert.ok(plan.kind === 'fill' && plan.claims);
	assert.deepEqual(plan.claims, {
		iss: 'kubernetes/serviceaccount',
		'kubernetes.io/serviceaccount/namespace': 'ns',
		'kubernetes.io/serviceaccount/secret.name': 's',
		'kubernetes.io/serviceaccount/service-account.name': 'robot',
		'kubernetes.io/serviceaccount/service-account.uid': 'u1',
		sub: 'system:serviceaccount:ns:robot',
	});
	const { data, metadata } = withToken(plan.secret, 'signed');
	assert.deepEqual(data, {
		'ca.crt': base64OfText('pem'),
		namespace: base64OfText('ns'),
		token: base64OfText('signed'),
	});
	assert.deepEqual(metadata.annotations, { [NAME]: 'robot', [UID]: 'u1', kept: 'x' });
	assert.equal(planTokenSecret(withToken(plan.secret, 'signed'), ACCOUNT, 'pem').kind, 'keep');
});

test('a token is kept, and another certificate is written', () => {
	const data = { 'ca.crt': base64OfText('old'), namespace: base64OfText('other'), token: 'dG9rZW4=' };
	const plan = planTokenSecret(secretOf({ [NAME]: 'robot', [UID]: 'u1' }, data), ACCOUNT, 'new');
	assert.ok(plan.kind === 'fill');
	assert.equal(plan.claims, undefined);
	assert.deepEqual(plan.secret.data, { ...data, 'ca.crt': base64OfText('new') });
	assert.equal(planTokenSecret(secretOf({ [NAME]: 'robot' }, data), ACCOUNT, undefined).kind, 'keep');
});

test('a Secret is deleted if its account does not exist or is another one', () => {
	assert.equal(planTokenSecret(secretOf({ [NAME]: 'robot' }), undefined, 'pem').kind, 'delete');
	assert.equal(planTokenSecret(secretOf({ [NAME]: 'robot', [UID]: 'u0' }), ACCOUNT, 'pem').kind, 'delete');
});

test('only Secrets of the type belong to an account', () => {
	assert.equal(tokenAccountOf(secretOf({ [NAME]: 'robot' })), 'robot');
	assert.equal(tokenAccountOf({ ...secretOf({ [NAME]: 'robot' }), type: 'Opaque' }), undefined);
	assert.equal(tokenAccountOf(secretOf({})), undefined);
});

test('references to a deleted Secret are removed from the account', () => {
	const account = { ...ACCOUNT, secrets: [{ name: 's' }, { name: 'other' }] };
	assert.deepEqual(withoutReference(account, 's')?.secrets, [{ name: 'other' }]);
	assert.deepEqual(withoutReference({ ...ACCOUNT, secrets: [{ name: 's' }] }, 's'), ACCOUNT);
	assert.equal(withoutReference(account, 'x'), undefined);
});

test('a token of a Secret is valid as long as the Secret holds it and the account exists', () => {
	const plan = planTokenSecret(secretOf({ [NAME]: 'robot' }), ACCOUNT, undefined);
	assert.ok(plan.kind === 'fill' && plan.claims);
	const { claims, secret } = plan;
	const problem = (change: object, claimed = claims): string | undefined =>
		problemOfLegacyToken(claimed, { account: ACCOUNT, secret, isHeld: true, ...change });
	const deletionTimestamp = '2026-01-01T00:00:00Z';
	assert.equal(problem({}), undefined);
	assert.equal(problem({}, { ...claims, sub: 'system:serviceaccount:ns:other' }), 'sub claim is invalid');
	assert.equal(problem({ secret: undefined }), 'Token has been invalidated');
	const ending = { ...secret, metadata: { ...secret.metadata, deletionTimestamp } };
	assert.equal(problem({ secret: ending }), 'Token has been invalidated');
	assert.equal(problem({ isHeld: false }), "Token does not match server's copy");
	assert.equal(problem({ account: undefined }), 'serviceaccounts "robot" not found');
	const gone = { ...ACCOUNT, metadata: { ...ACCOUNT.metadata, deletionTimestamp } };
	assert.equal(problem({ account: gone }), 'ServiceAccount ns/robot has been deleted');
	const another = { ...ACCOUNT, metadata: { ...ACCOUNT.metadata, uid: 'u9' } };
	assert.equal(problem({ account: another }), 'ServiceAccount UID (u9) does not match claim (u1)');
	const labels = { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' };
	const marked = { ...secret, metadata: { ...secret.metadata, labels } };
	assert.match(problem({ secret: marked }) ?? '', /^the token in secret ns\/s .* has been marked invalid/);
});
