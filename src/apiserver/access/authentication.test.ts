import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMIN, type User } from '../../api/contract/user.ts';
import { Authentication, isLoopbackHost } from './authentication.ts';

const ACCOUNT: User = { name: 'system:serviceaccount:a:b', groups: [] };

/** Knows a fixed token, and one that takes time to verify. */
const authentication = new Authentication({
	userOf: (token) =>
		token === 'secret' ? ADMIN : Promise.resolve(token === 'verified' ? ACCOUNT : undefined),
});
/** The name of the user, or the reason of the error. */
const reasonOf = async (headers: Record<string, string>, open = false): Promise<string> => {
	try {
		return (await authentication.authenticate(headers, open)).name;
	} catch (error) {
		return error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
	}
};

test('the token must equal the whole text after Bearer', async () => {
	const host = 'localhost';
	assert.equal(await reasonOf({ host, authorization: 'Bearer secret' }), 'kubernetes-admin');
	assert.equal(await reasonOf({ host, authorization: 'bearer  secret ' }), 'kubernetes-admin');
	for (const authorization of [
		'Bearer',
		'Bearer ',
		'Bearer secre',
		'Bearer secrets',
		'Basic secret',
		'secret',
	]) {
		assert.equal(await reasonOf({ host, authorization }), 'Unauthorized', authorization);
	}
	assert.equal(await reasonOf({ host }), 'Unauthorized');
	assert.equal(await reasonOf({ host, authorization: 'Bearer verified' }), ACCOUNT.name);
});

test('public paths need no token, but reject web pages like all others', async () => {
	assert.equal(await reasonOf({ host: 'localhost' }, true), 'system:anonymous');
	assert.equal(
		await reasonOf({ host: 'localhost', authorization: 'Bearer secret' }, true),
		'kubernetes-admin',
	);
	assert.equal(await reasonOf({ host: 'localhost', origin: 'http://localhost' }, true), 'Forbidden');
	assert.equal(await reasonOf({ host: 'example.com' }, true), 'Forbidden');
	assert.equal(await reasonOf({}, true), 'Forbidden');
});

test('a wrong token is rejected on public paths too, other schemes count as no credentials', async () => {
	const host = 'localhost';
	for (const authorization of ['Bearer secre', 'bearer secrets', 'Bearer secret secret'])
		assert.equal(await reasonOf({ host, authorization }, true), 'Unauthorized', authorization);
	for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic c2VjcmV0', 'secret'])
		assert.equal(await reasonOf({ host, authorization }, true), 'system:anonymous', authorization);
});

test('the Host header must be a loopback name or address', () => {
	for (const host of ['localhost', 'localhost:1', '127.0.0.1', '127.9.9.9:65535', '[::1]', '[::1]:1']) {
		assert.ok(isLoopbackHost(host), host);
	}
	for (const host of [
		'',
		'localhost.',
		'xlocalhost',
		'1127.0.0.1',
		'127.0.0.1@x',
		'::1',
		'0.0.0.0',
		'localhost:x',
	]) {
		assert.ok(!isLoopbackHost(host), host);
	}
});

test('the Host header may name the Service of the API server, which no web page has', async () => {
	const serving = new Authentication({ userOf: () => ADMIN }, ['kubernetes.default.svc', '10.96.0.1']);
	const answer = (host: string) => () => serving.authenticate({ host, authorization: 'Bearer x' }, false);
	for (const host of ['kubernetes.default.svc', 'Kubernetes.default.svc:443', '10.96.0.1', '10.96.0.1:443'])
		assert.equal(answer(host)(), ADMIN, host);
	for (const host of ['kubernetes.default.svc.example', '10.96.0.2', '10.96.0.1:x', 'x@10.96.0.1'])
		assert.throws(answer(host), /Host header/, host);
});

test('the administrator is in the groups of masters and authenticated users, an anonymous user in its own', async () => {
	const headers = { host: 'localhost', authorization: 'Bearer secret' };
	const admin = await authentication.authenticate(headers, false);
	assert.deepEqual(admin.groups, ['system:masters', 'system:authenticated']);
	const anonymous = await authentication.authenticate({ host: 'localhost' }, true);
	assert.deepEqual(anonymous, { name: 'system:anonymous', groups: ['system:unauthenticated'] });
});

test('at the Unix socket the token may be missing, but not wrong', async () => {
	const local = async (headers: Record<string, string>): Promise<string> => {
		try {
			return (await authentication.authenticateLocal({ host: 'localhost', ...headers }, false)).name;
		} catch (error) {
			return error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
		}
	};
	assert.equal(await local({}), 'kubernetes-admin');
	assert.equal(await local({ authorization: 'Bearer secret' }), 'kubernetes-admin');
	for (const authorization of ['', 'Bearer', 'Bearer other', 'Basic secret'])
		assert.equal(await local({ authorization }), 'Unauthorized', authorization);
	assert.equal(await local({ origin: 'null' }), 'Forbidden');
	assert.equal(await local({ host: 'example.com' }), 'Forbidden');
});
