import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { TOKEN_ISSUER, type TokenClaims } from '../../../plan/service-account/token-claims.ts';
import { claimsOf, isSignedBy, parseToken, signedToken } from './json-web-token.ts';
import { SigningKey, type SigningKeyPair } from './signing-key.ts';

const CLAIMS: TokenClaims = {
	...{ aud: [TOKEN_ISSUER], exp: 4, iat: 3, nbf: 2, iss: TOKEN_ISSUER, jti: 'one', sub: 'x' },
	'kubernetes.io': { namespace: 'a', serviceaccount: { name: 'b', uid: 'c' }, pod: { name: 'p', uid: 'q' } },
};

const text = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const keys = Promise.all([1, 2].map(() => new SigningKey({ onReplaced: () => undefined }).load()));
const rsa: SigningKeyPair = {
	...{ id: 'rsa', algorithm: 'RS256' },
	...generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

test('a signed token has the claims, and only its own key verifies it', async () => {
	const [one, other] = await keys;
	assert.ok(one && other);
	for (const own of [one, rsa]) {
		const parsed = parseToken(await signedToken(CLAIMS, own));
		assert.ok(parsed);
		assert.deepEqual(claimsOf(parsed), CLAIMS);
		assert.deepEqual([parsed.keyId, parsed.algorithm], [own.id, own.algorithm]);
		assert.ok(isSignedBy(parsed, own));
		assert.ok(!isSignedBy(parsed, other));
	}
});

test('a token with another payload or another algorithm is not signed', async () => {
	const [one] = await keys;
	assert.ok(one);
	for (const own of [one, rsa]) await checkForged(own);
});

async function checkForged(own: SigningKeyPair): Promise<void> {
	const [head = '', body = '', signature = ''] = (await signedToken(CLAIMS, own)).split('.');
	const publicPem = own.publicKey.export({ type: 'spki', format: 'pem' });
	const symmetric = `${text({ alg: 'HS256' })}.${body}`;
	const misnamed = `${text({ alg: 'PS256' })}.${body}`;
	const forged = [
		`${misnamed}.${sign('sha256', Buffer.from(misnamed), own.privateKey).toString('base64url')}`,
		`${head}.${text({ ...CLAIMS, sub: 'y' })}.${signature}`,
		`${text({ alg: 'none' })}.${body}.${signature}`,
		`${text({ alg: 'RS512' })}.${body}.${signature}`,
		`${symmetric}.${createHmac('sha256', publicPem).update(symmetric).digest('base64url')}`,
		`${head}.${body}.${signature.slice(0, -4)}`,
		`${head}.${body}.${text({})}`,
	];
	for (const token of forged) {
		const parsed = parseToken(token);
		assert.ok(parsed, token);
		assert.ok(!isSignedBy(parsed, own), token);
	}
}

test('a text that is no token has no parts', () => {
	const [head, body] = [text({ alg: 'RS256' }), text(CLAIMS)];
	for (const token of [
		...['', 'a', '..', 'a.b', `${head}.${body}`, `${head}.${body}.`, `${head}.${body}.a.b`],
		...[
			`${head}.${body}.a b`,
			`${text([])}.${body}.a`,
			`${head}.abc.a`,
			`${head}.${body}.${'a'.repeat(20_000)}`,
		],
		`${text({ alg: 'RS256', crit: ['exp'] })}.${body}.a`,
	]) {
		assert.equal(parseToken(token), undefined, token.slice(0, 100));
	}
});

test('claims that the server cannot have written are refused', () => {
	const account = CLAIMS['kubernetes.io'];
	for (const change of [
		...[
			{ aud: 'x' },
			{ aud: [1] },
			{ exp: '1' },
			{ iat: null },
			{ nbf: {} },
			{ iss: 1 },
			{ jti: 1 },
			{ sub: 1 },
		],
		...[{ 'kubernetes.io': 1 }, { 'kubernetes.io': { ...account, namespace: 1 } }],
		{ 'kubernetes.io': { ...account, serviceaccount: {} } },
	]) {
		const parsed = parseToken(`${text({ alg: 'RS256' })}.${text({ ...CLAIMS, ...change })}.a`);
		assert.ok(parsed);
		assert.equal(claimsOf(parsed), undefined, JSON.stringify(change));
	}
});
