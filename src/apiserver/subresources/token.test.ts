import assert from 'node:assert/strict';
import test from 'node:test';
import { isRecord } from '../../base/json/json.ts';
import { parseToken } from '../access/tokens/json-web-token.ts';
import { createAccount, requestToken, tokenOf, uidOf } from '../testing/account-tokens.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	refusal,
	type TestServer,
} from '../testing/server-contract-suite.ts';

/** The subresource `token` of ServiceAccounts. */

const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** The payload of the token in a response. */
function payloadOf(object: unknown): Readonly<Record<string, unknown>> {
	assert.ok(isRecord(object) && isRecord(object.status));
	return parseToken(String(object.status.token))?.payload ?? assert.fail('no token');
}

async function create({ server }: TestServer, path: string, body: object): Promise<string> {
	return uidOf((await server.request({ method: 'POST', path, body })).object);
}

/** Creates a Pod of the account on a Node. */
function createPod(opened: TestServer, serviceAccountName: string, nodeName = ''): Promise<string> {
	const spec = { serviceAccountName, nodeName, containers: [{ name: 'main', image: 'a' }] };
	return create(opened, PODS, { ...podNamed('p'), spec });
}

test('the response contains the request with its defaults, and a token', async () => {
	const opened = await openTestServer();
	const uid = await createAccount(opened, 'builder');
	const { code, object } = await requestToken(opened, 'builder');
	assert.equal(code, 201);
	assert.ok(isRecord(object) && isRecord(object.status));
	const { token: _token, ...status } = object.status;
	assert.deepEqual(
		{ ...object, status },
		{
			kind: 'TokenRequest',
			apiVersion: 'authentication.k8s.io/v1',
			metadata: { name: 'builder', namespace: 'default', uid, creationTimestamp: '2026-01-01T00:00:00Z' },
			spec: { audiences: [ISSUER], expirationSeconds: 3600, boundObjectRef: null },
			status: { expirationTimestamp: '2026-01-01T01:00:00Z' },
		},
	);
	const seconds = opened.clock.now() / 1000;
	const { jti, ...claims } = payloadOf(object);
	assert.match(String(jti), /^[\da-f-]{36}$/);
	assert.deepEqual(claims, {
		...{ aud: [ISSUER], exp: seconds + 3600, iat: seconds, nbf: seconds, iss: ISSUER },
		sub: 'system:serviceaccount:default:builder',
		'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'builder', uid } },
	});
	assert.notEqual(await tokenOf(opened, 'builder'), await tokenOf(opened, 'builder'));
	opened.server.close();
});

test('a token can be bound to a Pod, with its Node, and to a Secret or a Node', async () => {
	const opened = await openTestServer();
	await createAccount(opened, 'builder');
	const node = await create(opened, '/api/v1/nodes', { kind: 'Node', metadata: { name: 'n' } });
	const pod = await createPod(opened, 'builder', 'n');
	const secret = await create(opened, '/api/v1/namespaces/default/secrets', {
		kind: 'Secret',
		metadata: { name: 's' },
	});
	const bound = async (ref: object): Promise<unknown> => {
		const spec = { boundObjectRef: { apiVersion: 'v1', ...ref } };
		const { object } = await requestToken(opened, 'builder', { spec });
		const claims = payloadOf(object)['kubernetes.io'];
		assert.ok(isRecord(claims));
		const { namespace: _namespace, serviceaccount: _account, ...rest } = claims;
		return rest;
	};
	const nodeClaim = { name: 'n', uid: node };
	const podClaim = { name: 'p', uid: pod };
	assert.deepEqual(await bound({ kind: 'Pod', name: 'p' }), { node: nodeClaim, pod: podClaim });
	assert.deepEqual(await bound({ kind: 'Secret', name: 's', uid: secret }), {
		secret: { name: 's', uid: secret },
	});
	assert.deepEqual(await bound({ kind: 'Node', name: 'n' }), { node: nodeClaim });
	await opened.server.request({ method: 'DELETE', path: '/api/v1/nodes/n' });
	assert.deepEqual(await bound({ kind: 'Pod', name: 'p' }), { node: { name: 'n' }, pod: podClaim });
	opened.server.close();
});

test('a Pod token of 3607 seconds says that it expires then, and is valid for a year', async () => {
	const opened = await openTestServer();
	await createAccount(opened, 'builder');
	await createPod(opened, 'builder');
	const spec = { expirationSeconds: 3607, boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p' } };
	const { object } = await requestToken(opened, 'builder', { spec });
	assert.ok(isRecord(object) && isRecord(object.status));
	assert.equal(object.status.expirationTimestamp, '2026-01-01T01:00:07Z');
	assert.equal(payloadOf(object).exp, opened.clock.now() / 1000 + 365 * 24 * 3600);
	opened.server.close();
});

test('a request is refused in the words of upstream', async () => {
	const opened = await openTestServer();
	const uid = await createAccount(opened, 'builder');
	await createAccount(opened, 'other');
	const pod = await createPod(opened, 'other');
	const to = (kind: string, name: string, more: object = {}): object => ({
		spec: { boundObjectRef: { apiVersion: 'v1', kind, name, ...more } },
	});
	const invalid = 'TokenRequest.authentication.k8s.io';
	const rows: readonly (readonly [request: object, code: number, message: string])[] = [
		[
			{ spec: { expirationSeconds: 599 } },
			422,
			`${invalid} "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes`,
		],
		[
			{ spec: { expirationSeconds: 2 ** 32 + 1 } },
			422,
			`${invalid} "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds`,
		],
		[
			{ spec: { attestations: { admissionReviewAPIGroups: ['*'] } } },
			422,
			`${invalid} "" is invalid: spec.attestations: Invalid value: {"admissionReviewAPIGroups":["*"]}: attestations may only be specified with a webhook bound object reference`,
		],
		[
			{ metadata: { name: 'x' } },
			422,
			`${invalid} "builder" is invalid: metadata.name: Invalid value: "x": must match the service account name if specified`,
		],
		[
			{ metadata: { namespace: 'x' } },
			400,
			'the namespace of the provided object does not match the namespace sent on the request',
		],
		[
			{ metadata: { uid: 'x' } },
			409,
			`Operation cannot be fulfilled on ${invalid} "builder": the UID in the token request (x) does not match the UID of the service account (${uid})`,
		],
		[to('Pod', 'missing'), 404, 'pods "missing" not found'],
		[to('Secret', 'missing'), 404, 'secrets "missing" not found'],
		[to('Node', 'missing'), 404, 'nodes "missing" not found'],
		[
			to('Pod', 'p'),
			400,
			'cannot bind token for serviceaccount "builder" to pod running with different serviceaccount name.',
		],
		[to('ConfigMap', 'c'), 400, 'cannot bind token to object of type /v1, Kind=ConfigMap'],
		[to('constructor', 'c'), 400, 'cannot bind token to object of type /v1, Kind=constructor'],
		[
			to('Pod', 'p', { apiVersion: 'batch/v1' }),
			400,
			'cannot bind token to object of type batch/v1, Kind=Pod',
		],
		[
			to('ValidatingWebhookConfiguration', 'c', { apiVersion: 'admissionregistration.k8s.io/v1' }),
			400,
			'cannot bind token to object of type admissionregistration.k8s.io/v1, Kind=ValidatingWebhookConfiguration (feature gate APIServerWebhookAuthenticationToken is disabled)',
		],
	];
	for (const [request, code, message] of rows) {
		const error = await refusal(requestToken(opened, 'builder', request));
		assert.deepEqual([error.code, error.message], [code, message]);
	}
	const replaced = to('Pod', 'p', { uid: 'x' });
	assert.equal(
		(await refusal(requestToken(opened, 'other', replaced))).message,
		'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
	);
	assert.equal((await requestToken(opened, 'other', to('Pod', 'p', { uid: pod }))).code, 201);
	assert.equal(
		(await refusal(requestToken(opened, 'missing'))).message,
		'serviceaccounts "missing" not found',
	);
	opened.server.close();
});
