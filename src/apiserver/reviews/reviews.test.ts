import assert from 'node:assert/strict';
import test from 'node:test';
import { ADMIN } from '../../api/contract/user.ts';
import { isRecord } from '../../base/json/json.ts';
import { createAccount, tokenOf, uidOf } from '../testing/account-tokens.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	refusal,
	type TestServer,
} from '../testing/server-contract-suite.ts';

/** TokenReviews and SelfSubjectReviews. */

const REVIEWS = '/apis/authentication.k8s.io/v1';
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

async function review(
	{ server }: TestServer,
	token: string,
	audiences?: readonly string[],
): Promise<unknown> {
	const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token, audiences } };
	const { code, object } = await server.request({ method: 'POST', path: `${REVIEWS}/tokenreviews`, body });
	assert.equal(code, 201);
	assert.ok(isRecord(object));
	return object.status;
}

function failed(error: string): object {
	return { user: {}, error };
}

test('a TokenReview answers with the user of a token', async () => {
	const opened = await openTestServer();
	const uid = await createAccount(opened, 'builder');
	const { object } = await opened.server.request({
		...{ method: 'POST', path: PODS },
		body: { ...podNamed('p'), spec: { ...Object(podNamed('p').spec), serviceAccountName: 'builder' } },
	});
	const token = await tokenOf(opened, 'builder', {
		boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' },
	});
	const status = await review(opened, token);
	assert.ok(isRecord(status) && isRecord(status.user) && isRecord(status.user.extra));
	const credential = status.user.extra['authentication.kubernetes.io/credential-id'];
	assert.deepEqual(status, {
		authenticated: true,
		user: {
			username: 'system:serviceaccount:default:builder',
			uid,
			groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
			extra: {
				'authentication.kubernetes.io/credential-id': credential,
				'authentication.kubernetes.io/pod-name': ['p'],
				'authentication.kubernetes.io/pod-uid': [uidOf(object)],
			},
		},
		audiences: [ISSUER],
	});
	opened.server.close();
});

test('a TokenReview says why a token is not valid', async () => {
	const opened = await openTestServer();
	await createAccount(opened, 'builder');
	const token = await tokenOf(opened, 'builder');
	const [head, , signature] = token.split('.');
	const payload = Buffer.from(JSON.stringify({ iss: ISSUER })).toString('base64url');
	const wrongKey = `${Buffer.from('{"alg":"RS256","kid":"x"}').toString('base64url')}.${payload}.${signature}`;
	const rows: readonly (readonly [token: string, error: string])[] = [
		['junk', 'invalid bearer token'],
		['a.b.c', 'invalid bearer token'],
		[
			`${head}.${payload}.${signature}`,
			'[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]',
		],
		[wrongKey, '[invalid bearer token, invalid signature, no keys found]'],
	];
	for (const [given, error] of rows) assert.deepEqual(await review(opened, given), failed(error));
	opened.clock.advanceTo(opened.clock.now() + 3_661_000);
	const expired = '[invalid bearer token, service account token has expired]';
	assert.deepEqual(await review(opened, token), failed(expired));
	const empty = refusal(review(opened, ''));
	assert.equal((await empty).message, 'token is required for TokenReview in authentication');
	opened.server.close();
});

test('a token is valid for its audiences only', async () => {
	const opened = await openTestServer();
	await createAccount(opened, 'builder');
	const token = await tokenOf(opened, 'builder', { audiences: ['vault', 'other'] });
	const accepted = await review(opened, token, ['x', 'other']);
	assert.ok(isRecord(accepted));
	assert.deepEqual([accepted.authenticated, accepted.audiences], [true, ['other']]);
	const error = `[invalid bearer token, token audiences ["vault" "other"] is invalid for the target audiences ["${ISSUER}"]]`;
	assert.deepEqual(await review(opened, token), failed(error));
	assert.equal(await opened.server.tokens.userOf(token), undefined);
	opened.server.close();
});

test('a token that was valid is not valid once its account is deleted or replaced', async () => {
	const opened = await openTestServer();
	const path = '/api/v1/namespaces/default/serviceaccounts/builder';
	const uid = await createAccount(opened, 'builder');
	const token = await tokenOf(opened, 'builder');
	const user = await opened.server.tokens.userOf(token);
	assert.equal(user?.name, 'system:serviceaccount:default:builder');
	await opened.server.request({ method: 'DELETE', path });
	assert.deepEqual(
		await review(opened, token),
		failed('[invalid bearer token, serviceaccounts "builder" not found]'),
	);
	const later = await createAccount(opened, 'builder');
	assert.deepEqual(
		await review(opened, token),
		failed(`[invalid bearer token, service account UID (${later}) does not match claim (${uid})]`),
	);
	opened.server.close();
});

test('a TokenReview knows the fixed token of the server', async () => {
	const opened = await openTestServer();
	opened.server.tokens.accept('fixed', ADMIN);
	assert.deepEqual(await review(opened, 'fixed'), {
		authenticated: true,
		user: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
		audiences: [ISSUER],
	});
	assert.deepEqual(await review(opened, 'fixed', ['vault']), failed('invalid bearer token'));
	opened.server.close();
});

test('a SelfSubjectReview answers with the sender of the request', async () => {
	const opened = await openTestServer();
	const user = { name: 'alice', groups: ['team'], uid: 'u', extra: { x: ['1', '2'] } };
	const { code, object } = await opened.server.request({
		...{ method: 'POST', path: `${REVIEWS}/selfsubjectreviews`, user },
		body: { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' },
	});
	assert.equal(code, 201);
	assert.deepEqual(object, {
		kind: 'SelfSubjectReview',
		apiVersion: 'authentication.k8s.io/v1',
		metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
		status: { userInfo: { username: 'alice', uid: 'u', groups: ['team'], extra: { x: ['1', '2'] } } },
	});
	opened.server.close();
});

test('reviews can only be created', async () => {
	const opened = await openTestServer();
	for (const resource of ['tokenreviews', 'selfsubjectreviews']) {
		for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'] as const) {
			const at = `${REVIEWS}/${resource}`;
			assert.equal((await refusal(opened.server.request({ method, path: at }))).code, 405);
			assert.equal((await refusal(opened.server.request({ method, path: `${at}/x` }))).code, 404);
		}
		const sink = { events: () => undefined, ended: () => undefined };
		const watch = { method: 'GET', path: `${REVIEWS}/${resource}`, query: { watch: 'true' } } as const;
		assert.equal((await refusal(opened.server.watch(watch, sink))).code, 405);
	}
	opened.server.close();
});
