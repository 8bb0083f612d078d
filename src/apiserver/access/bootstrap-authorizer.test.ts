import assert from 'node:assert/strict';
import test from 'node:test';
import { ADMIN, ANONYMOUS, serviceAccountUser, type User } from '../../api/contract/user.ts';
import { resources, virtualResources } from '../../api/resources.ts';
import { SUBRESOURCES } from '../subresources/subresources.ts';
import { createAccount, tokenOf } from '../testing/account-tokens.ts';
import { listenTo, send } from '../testing/https-test-client.ts';
import { openTestServer, PODS, refusal } from '../testing/server-contract-suite.ts';
import { BOOTSTRAP_AUTHORIZER } from './bootstrap-authorizer.ts';

const ACCOUNT = serviceAccountUser({ namespace: 'default', name: 'builder', uid: 'u', extra: {} });
const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

test('a ServiceAccount may do nothing with any resource, except ask who it is and what it may do', () => {
	const allowed: string[] = [];
	const names = ['', ...SUBRESOURCES.map(({ name }) => name)];
	for (const { group, version, resource } of [...resources, ...virtualResources]) {
		for (const verb of VERBS) {
			for (const subresource of names) {
				const target = { group, version, resource, subresource, namespace: 'default', name: 'a' };
				const decision = BOOTSTRAP_AUTHORIZER.authorize({ type: 'resource', user: ACCOUNT, verb, ...target });
				if (decision.allowed) allowed.push(`${verb} ${resource}/${subresource}`);
			}
		}
	}
	assert.deepEqual(allowed, [
		'create selfsubjectreviews/',
		'create selfsubjectaccessreviews/',
		'create selfsubjectrulesreviews/',
	]);
});

test('a ServiceAccount may read about the API, and nothing else besides resources', () => {
	const isAllowed = (path: string, verb = 'get'): boolean =>
		BOOTSTRAP_AUTHORIZER.authorize({ type: 'path', user: ACCOUNT, verb, path }).allowed;
	const open = [
		...['/api', '/api/v1', '/apis', '/apis/batch/v1', '/openapi/v3', '/openapi/v3/api/v1', '/version'],
		...['/healthz', '/livez', '/readyz', '/.well-known/openid-configuration', '/openid/v1/jwks'],
	];
	for (const path of open) {
		assert.ok(isAllowed(path), path);
		for (const verb of ['post', 'put', 'patch', 'delete'])
			assert.ok(!isAllowed(path, verb), `${verb} ${path}`);
	}
	for (const path of ['/', '/metrics', '/readyz/ping', '/apisx', '/openid', '/debug', '//api']) {
		assert.ok(!isAllowed(path), path);
	}
});

test('other users may do everything, those without credentials only see whether the server is well', () => {
	const isAllowed = (user: User, path: string, verb = 'get'): boolean =>
		BOOTSTRAP_AUTHORIZER.authorize({ type: 'path', user, verb, path }).allowed;
	assert.ok(isAllowed(ADMIN, '/metrics'));
	for (const user of [ANONYMOUS, { ...ANONYMOUS, groups: [] }, { ...ANONYMOUS, name: 'x' }]) {
		for (const path of ['/readyz', '/livez', '/healthz', '/version']) assert.ok(isAllowed(user, path));
		assert.ok(!isAllowed(user, '/readyz', 'post'));
		assert.ok(!isAllowed(user, '/metrics'));
		assert.ok(!isAllowed(user, '/api'));
	}
});

test('the name of a ServiceAccount counts without its groups too', () => {
	const user = { name: ACCOUNT.name, groups: [] };
	const attributes = { type: 'path', user, verb: 'get', path: '/metrics' } as const;
	assert.ok(!BOOTSTRAP_AUTHORIZER.authorize(attributes).allowed);
});

test('the rules that it lists are those by which it decides', () => {
	const rules = (user: User): unknown => BOOTSTRAP_AUTHORIZER.rulesFor?.(user, 'default').resourceRules;
	assert.deepEqual(rules(ADMIN), [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]);
	assert.deepEqual(rules(ANONYMOUS), []);
	assert.equal(JSON.stringify(rules(ACCOUNT)).includes('*'), false);
});

test('a server asks it by default, and refuses a ServiceAccount in the words of upstream', async () => {
	const { server } = await openTestServer();
	const error = await refusal(server.request({ method: 'GET', path: PODS, user: ACCOUNT }));
	assert.equal(
		error.message,
		'pods is forbidden: User "system:serviceaccount:default:builder" cannot list resource "pods" in API group "" in the namespace "default"',
	);
	server.close();
});

test('over HTTPS a token authenticates its account, until it is invalid', async () => {
	const opened = await openTestServer();
	await createAccount(opened, 'builder');
	const token = await tokenOf(opened, 'builder');
	const listener = await listenTo(opened);
	const codeOf = async (path: string, method = 'GET'): Promise<number | undefined> => {
		const response = await send(listener, method, path, { token, ...(method === 'POST' && { body: '{}' }) });
		response.resume();
		return response.statusCode;
	};
	const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
	assert.equal(await codeOf(whoAmI, 'POST'), 201);
	assert.equal(await codeOf('/apis'), 200);
	assert.equal(await codeOf(PODS), 403);
	assert.equal(await codeOf(`${PODS}?watch=1`), 403);
	assert.equal(await codeOf(`${PODS}/p/log`), 403);
	assert.equal(await codeOf('/metrics'), 403);
	assert.equal(await codeOf('/api/v1/namespaces/default/serviceaccounts/builder/token', 'POST'), 403);
	await opened.server.request({
		method: 'DELETE',
		path: '/api/v1/namespaces/default/serviceaccounts/builder',
	});
	assert.equal(await codeOf(whoAmI, 'POST'), 401);
	assert.equal(await codeOf('/readyz'), 401);
	await listener.close();
	opened.server.close();
});
