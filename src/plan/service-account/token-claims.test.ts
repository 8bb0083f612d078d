import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { planClaims, TOKEN_ISSUER, type TokenClaims, type TokenOrder } from './token-claims.ts';

const NOW = Date.parse('2026-01-31T08:00:00.900Z');
const SECONDS = Math.floor(NOW / 1000);
const YEAR = 365 * 24 * 3600;

function named(kind: string, name: string): { kind: string; apiVersion: 'v1'; metadata: object } {
	return { kind, apiVersion: 'v1', metadata: { name, namespace: 'team', uid: `${kind}-uid` } };
}

// `as`: the claims read no other field of the Pod.
const POD = { ...named('Pod', 'p'), spec: { nodeName: 'n' }, status: {} } as unknown as Pod;

function claimsOf(order: Partial<TokenOrder>): TokenClaims {
	const account = named('ServiceAccount', 'builder');
	return planClaims({
		...{ account, audiences: [TOKEN_ISSUER], expirationSeconds: 600, bound: {}, id: 'one', now: NOW },
		...order,
	});
}

test('the claims name the account, and are valid from now on for the requested time', () => {
	assert.deepEqual(claimsOf({}), {
		aud: [TOKEN_ISSUER],
		exp: SECONDS + 600,
		iat: SECONDS,
		iss: 'https://kubernetes.default.svc.cluster.local',
		jti: 'one',
		'kubernetes.io': {
			namespace: 'team',
			serviceaccount: { name: 'builder', uid: 'ServiceAccount-uid' },
		},
		nbf: SECONDS,
		sub: 'system:serviceaccount:team:builder',
	});
});

test('a bound object is a claim; with a Pod also its Node, whether that exists or not', () => {
	const account = claimsOf({})['kubernetes.io'];
	const node = named('Node', 'n');
	const secret = named('Secret', 's');
	const claims = (bound: TokenOrder['bound']): object => claimsOf({ bound })['kubernetes.io'];
	const pod = { name: 'p', uid: 'Pod-uid' };
	assert.deepEqual(claims({ secret }), { ...account, secret: { name: 's', uid: 'Secret-uid' } });
	assert.deepEqual(claims({ node }), { ...account, node: { name: 'n', uid: 'Node-uid' } });
	assert.deepEqual(claims({ pod: POD }), { ...account, pod });
	assert.deepEqual(claims({ pod: POD, node }), { ...account, pod, node: { name: 'n', uid: 'Node-uid' } });
	assert.deepEqual(claims({ pod: POD, node: { name: 'n' } }), { ...account, pod, node: { name: 'n' } });
});

test("a Pod's token of 3607 seconds for the API server is valid for a year, with a time to warn after", () => {
	const long = { bound: { pod: POD }, expirationSeconds: 3607 };
	const extended = claimsOf(long);
	assert.equal(extended.exp, SECONDS + YEAR);
	assert.equal(extended['kubernetes.io'].warnafter, SECONDS + 3607);
	for (const order of [
		{ ...long, expirationSeconds: 3600 },
		{ ...long, bound: {} },
		{ ...long, audiences: [TOKEN_ISSUER, 'vault'] },
	]) {
		const claims = claimsOf(order);
		assert.equal(claims.exp, SECONDS + order.expirationSeconds);
		assert.equal(claims['kubernetes.io'].warnafter, undefined);
	}
});
