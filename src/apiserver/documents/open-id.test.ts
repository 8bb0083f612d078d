import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import test from 'node:test';
import { isList, isRecord } from '../../base/json/json.ts';
import { isSignedBy, parseToken } from '../access/tokens/json-web-token.ts';
import { createAccount, tokenOf } from '../testing/account-tokens.ts';
import { listenTo, send } from '../testing/https-test-client.ts';
import { openTestServer, refusal } from '../testing/server-contract-suite.ts';

const CONFIGURATION = '/.well-known/openid-configuration';
const KEYS = '/openid/v1/jwks';

test('the configuration names the issuer and the place of the keys', async () => {
	const { server } = await openTestServer();
	assert.deepEqual((await server.request({ method: 'GET', path: CONFIGURATION })).object, {
		issuer: 'https://kubernetes.default.svc.cluster.local',
		jwks_uri: 'https://kubernetes.default.svc.cluster.local/openid/v1/jwks',
		response_types_supported: ['id_token'],
		subject_types_supported: ['public'],
		id_token_signing_alg_values_supported: ['ES256'],
	});
	assert.equal((await refusal(server.request({ method: 'POST', path: CONFIGURATION }))).code, 405);
	server.close();
});

test('other services can verify a token with the published key', async () => {
	const opened = await openTestServer();
	await createAccount(opened, 'builder');
	const parsed = parseToken(await tokenOf(opened, 'builder'));
	const { object } = await opened.server.request({ method: 'GET', path: KEYS });
	assert.ok(parsed && isRecord(object) && isList(object.keys) && object.keys.length === 1);
	const [key] = object.keys;
	assert.ok(isRecord(key));
	assert.deepEqual([key.use, key.kty, key.alg, key.kid], ['sig', 'EC', 'ES256', parsed.keyId]);
	assert.deepEqual(Object.keys(key), ['use', 'kty', 'kid', 'crv', 'alg', 'x', 'y']);
	const publicKey = createPublicKey({ key, format: 'jwk' });
	assert.ok(isSignedBy(parsed, { algorithm: 'ES256', publicKey }));
	opened.server.close();
});

test('clients may cache the documents, and need a token to read them', async () => {
	const opened = await openTestServer();
	const listener = await listenTo(opened);
	for (const [path, type] of [
		[CONFIGURATION, 'application/json'],
		[KEYS, 'application/jwk-set+json'],
	] as const) {
		const { headers } = (await send(listener, 'GET', path)).resume();
		assert.deepEqual([headers['content-type'], headers['cache-control']], [type, 'public, max-age=3600']);
		assert.equal((await send(listener, 'GET', path, { token: null })).resume().statusCode, 401);
	}
	await listener.close();
	opened.server.close();
});
