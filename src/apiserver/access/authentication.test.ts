import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authentication, isLoopbackHost } from './authentication.ts';

const authentication = new Authentication('secret');
/** The name of the user, or the reason of the error. */
const reasonOf = (headers: Record<string, string>, open = false): string => {
	try {
		return authentication.authenticate(headers, open).name;
	} catch (error) {
		return error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
	}
};

test('the token must equal the whole text after Bearer', () => {
	const host = 'localhost';
	assert.equal(reasonOf({ host, authorization: 'Bearer secret' }), 'kubernetes-admin');
	assert.equal(reasonOf({ host, authorization: 'bearer  secret ' }), 'kubernetes-admin');
	for (const authorization of [
		'Bearer',
		'Bearer ',
		'Bearer secre',
		'Bearer secrets',
		'Basic secret',
		'secret',
	]) {
		assert.equal(reasonOf({ host, authorization }), 'Unauthorized', authorization);
	}
	assert.equal(reasonOf({ host }), 'Unauthorized');
});

test('public paths need no token, but reject web pages like all others', () => {
	assert.equal(reasonOf({ host: 'localhost' }, true), 'system:anonymous');
	assert.equal(reasonOf({ host: 'localhost', authorization: 'Bearer secret' }, true), 'kubernetes-admin');
	assert.equal(reasonOf({ host: 'localhost', origin: 'http://localhost' }, true), 'Forbidden');
	assert.equal(reasonOf({ host: 'example.com' }, true), 'Forbidden');
	assert.equal(reasonOf({}, true), 'Forbidden');
});

test('a wrong token is rejected on public paths too, other schemes count as no credentials', () => {
	const host = 'localhost';
	for (const authorization of ['Bearer secre', 'bearer secrets', 'Bearer secret secret'])
		assert.equal(reasonOf({ host, authorization }, true), 'Unauthorized', authorization);
	for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic c2VjcmV0', 'secret'])
		assert.equal(reasonOf({ host, authorization }, true), 'system:anonymous', authorization);
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

test('the administrator is in the groups of masters and authenticated users, an anonymous user in its own', () => {
	const headers = { host: 'localhost', authorization: 'Bearer secret' };
	const { groups } = authentication.authenticate(headers, false);
	assert.deepEqual(groups, ['system:masters', 'system:authenticated']);
	const anonymous = authentication.authenticate({ host: 'localhost' }, true);
	assert.deepEqual(anonymous, { name: 'system:anonymous', groups: ['system:unauthenticated'] });
});

test('at the Unix socket the token may be missing, but not wrong', () => {
	const local = (headers: Record<string, string>): string => {
		try {
			return authentication.authenticateLocal({ host: 'localhost', ...headers }, false).name;
		} catch (error) {
			return error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
		}
	};
	assert.equal(local({}), 'kubernetes-admin');
	assert.equal(local({ authorization: 'Bearer secret' }), 'kubernetes-admin');
	for (const authorization of ['', 'Bearer', 'Bearer other', 'Basic secret'])
		assert.equal(local({ authorization }), 'Unauthorized', authorization);
	assert.equal(local({ origin: 'null' }), 'Forbidden');
	assert.equal(local({ host: 'example.com' }), 'Forbidden');
});
