import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { type ClaimedObjects, problemOfToken, userOfClaims } from './token-check.ts';
import { type AccountClaims, TOKEN_ISSUER, type TokenClaims } from './token-claims.ts';

const NOW = Date.parse('2026-01-31T08:00:00Z');
const SECONDS = NOW / 1000;

function claims(own: Partial<AccountClaims> = {}, times: Partial<TokenClaims> = {}): TokenClaims {
	return {
		...{ aud: [TOKEN_ISSUER], exp: SECONDS + 600, iat: SECONDS, nbf: SECONDS, iss: TOKEN_ISSUER, jti: 'one' },
		sub: 'system:serviceaccount:team:builder',
		'kubernetes.io': { namespace: 'team', serviceaccount: { name: 'builder', uid: 'u-builder' }, ...own },
		...times,
	};
}

function object(name: string, metadata: object = {}): KubeObject {
	return { apiVersion: 'v1', kind: 'Any', metadata: { name, uid: `u-${name}`, ...metadata } };
}

const SEEN: ClaimedObjects = {
	account: object('builder'),
	pod: object('p'),
	secret: object('s'),
	node: object('n'),
};
const claim = (name: string) => ({ name, uid: `u-${name}` });
const deletedAt = (name: string, secondsAgo: number): KubeObject =>
	object(name, { deletionTimestamp: new Date(NOW - secondsAgo * 1000).toISOString() });

test('a token is valid between its times, give or take a minute', () => {
	const at = (seconds: number, times: Partial<TokenClaims> = {}): string | undefined =>
		problemOfToken(claims({}, times), SEEN, NOW + seconds * 1000);
	for (const seconds of [-60, 0, 600, 660]) assert.equal(at(seconds), undefined);
	assert.equal(at(-61), 'service account token is not valid yet');
	assert.equal(at(661), 'service account token has expired');
	assert.equal(at(0, { iat: SECONDS + 61 }), 'service account token is issued in the future');
});

test('the account must exist with the UID of the token', () => {
	const problem = (account: KubeObject | undefined): string | undefined =>
		problemOfToken(claims(), { ...SEEN, account }, NOW);
	assert.equal(problem(undefined), 'serviceaccounts "builder" not found');
	assert.equal(
		problem(object('builder', { uid: 'later' })),
		'service account UID (later) does not match claim (u-builder)',
	);
	assert.equal(problem(deletedAt('builder', 61)), 'service account team/builder has been deleted');
	assert.equal(problem(deletedAt('builder', 60)), undefined);
});

test('the bound object must exist with the UID of the token; deletions count after a minute', () => {
	const bound = { pod: claim('p'), secret: claim('s'), node: claim('n') };
	for (const what of ['pod', 'secret', 'node'] as const) {
		const { name } = bound[what];
		const problem = (seen: KubeObject | undefined): string | undefined =>
			problemOfToken(claims({ [what]: bound[what] }), { ...SEEN, [what]: seen }, NOW);
		assert.equal(problem(object(name)), undefined);
		assert.equal(problem(undefined), 'service account token has been invalidated');
		assert.equal(
			problem(object(name, { uid: 'later' })),
			`${what} UID (later) does not match service account ${what} ref claim (u-${name})`,
		);
		assert.equal(problem(deletedAt(name, 61)), 'service account token has been invalidated');
		assert.equal(problem(deletedAt(name, 59)), undefined);
		assert.equal(problem(deletedAt(name, -30)), undefined);
	}
});

test("the token of a Pod does not depend on the Pod's Node", () => {
	const token = claims({ pod: claim('p'), node: claim('n') });
	assert.equal(problemOfToken(token, { ...SEEN, node: undefined }, NOW), undefined);
	assert.equal(problemOfToken(token, { ...SEEN, node: object('n', { uid: 'later' }) }, NOW), undefined);
});

test('the user is the account, with the token, the Pod and the Node as extra properties', () => {
	assert.deepEqual(userOfClaims(claims({ pod: claim('p'), node: claim('n') })), {
		name: 'system:serviceaccount:team:builder',
		uid: 'u-builder',
		groups: ['system:serviceaccounts', 'system:serviceaccounts:team', 'system:authenticated'],
		extra: {
			'authentication.kubernetes.io/credential-id': ['JTI=one'],
			'authentication.kubernetes.io/node-name': ['n'],
			'authentication.kubernetes.io/node-uid': ['u-n'],
			'authentication.kubernetes.io/pod-name': ['p'],
			'authentication.kubernetes.io/pod-uid': ['u-p'],
		},
	});
	const nameless = userOfClaims(claims({ pod: claim('p'), node: { name: 'n' } }));
	assert.equal(nameless.extra?.['authentication.kubernetes.io/node-uid'], undefined);
});
