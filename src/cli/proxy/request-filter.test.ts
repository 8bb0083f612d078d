import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProxyRequestHead } from './proxied-request.ts';
import { type FilterRules, requestFilter } from './request-filter.ts';

const DEFAULTS: FilterRules = {
	acceptHosts: '^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$',
	acceptPaths: '^.*',
	rejectPaths: '^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach',
	rejectMethods: '^$',
	apiPrefix: '/',
};

/** The path that a request is sent to, the code of its refusal, or where it is redirected to. */
function decided(head: Partial<ProxyRequestHead>, rules: Partial<FilterRules> = {}): unknown {
	const filter = requestFilter({ ...DEFAULTS, ...rules });
	const decision = filter({ method: 'GET', url: '/api/v1/pods', host: 'localhost:8001', ...head });
	if (decision.type === 'passed') return decision.path;
	return decision.type === 'refused' ? decision.code : `to ${decision.location}`;
}

test('requests to this machine pass as they are, and those with another Host are refused', () => {
	for (const host of ['localhost', 'localhost:8001', '127.0.0.1:8001', '[::1]:8001', '[::1]'])
		assert.equal(decided({ host, url: '/api?a=%20' }), '/api?a=%20', host);
	for (const host of ['', 'example.com', 'localhost.example.com:8001', '127.0.0.2', '127.0.0.1.example.com'])
		assert.equal(decided({ host }), 403, host);
});

test('commands in containers are refused, however their path is written', () => {
	const pod = '/api/v1/namespaces/default/pods/p';
	assert.equal(decided({ url: `${pod}/exec?command=id` }), 403);
	assert.equal(decided({ url: `${pod}/%65xec` }), 403);
	assert.equal(decided({ url: `${pod}/attach` }), 403);
	assert.equal(decided({ url: `/${pod}/exec` }), `to ${pod}/exec`);
	assert.equal(decided({ url: '/x/..//api/./v1?a' }), 'to /api/v1?a');
	assert.equal(decided({ url: `${pod}/%` }), 400);
	assert.equal(decided({ url: '*' }), 400);
	assert.equal(decided({ url: `/${'a'.repeat(9000)}` }), 414);
	assert.equal(decided({ url: `${pod}/proxy/` }), `${pod}/proxy/`);
});

test('the rules can be changed', () => {
	assert.equal(decided({ method: 'POST' }, { rejectMethods: 'POST,PUT' }), 403);
	assert.equal(decided({}, { acceptPaths: '^/version$' }), 403);
	assert.equal(decided({ host: 'me' }, { acceptHosts: '^me$' }), '/api/v1/pods');
	assert.equal(
		decided({ url: '/api/v1/namespaces/d/pods/p/exec' }, { rejectPaths: '' }),
		'/api/v1/namespaces/d/pods/p/exec',
	);
	assert.throws(() => requestFilter({ ...DEFAULTS, acceptHosts: '(' }), /invalid regular expression: \(/);
});

test('a prefix is removed, unless it is one of the API', () => {
	assert.equal(decided({ url: '/custom/api/v1?a' }, { apiPrefix: '/custom/' }), '/api/v1?a');
	assert.equal(decided({ url: '/custom' }, { apiPrefix: '/custom' }), '/');
	assert.equal(decided({ url: '/customs' }, { apiPrefix: '/custom/' }), 404);
	assert.equal(decided({ url: '/api/v1' }, { apiPrefix: '/custom/' }), 404);
	assert.equal(decided({ url: '/api/v1' }, { apiPrefix: '/api/' }), '/api/v1');
	assert.equal(decided({ url: '/version' }, { apiPrefix: '/api/' }), 404);
});
