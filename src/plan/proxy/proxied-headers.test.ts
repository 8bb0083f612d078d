import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answeredHeaders, forwardedHeaders } from './proxied-headers.ts';

const CLIENT = { address: '127.0.0.1', path: '/api/v1/x/proxy/y', isUpgrade: false };

test('a request is passed on without credentials and without headers of its connection', () => {
	const headers = [
		...[
			'Host',
			'h',
			'Authorization',
			'Bearer t',
			'Connection',
			'close, X-Mine',
			'X-Mine',
			'1',
			'TE',
			'trailers',
		],
		...[
			'Transfer-Encoding',
			'chunked',
			'Expect',
			'100-continue',
			'Cookie',
			'a=b',
			'X-Two',
			'1',
			'x-two',
			'2',
		],
		...['X-Forwarded-For', '10.1.1.1', 'X-Forwarded-Uri', '/forged', 'Upgrade', 'websocket'],
	];
	assert.deepEqual(forwardedHeaders(headers, CLIENT), [
		...['Host', 'h', 'Cookie', 'a=b', 'X-Two', '1', 'x-two', '2'],
		...['X-Forwarded-For', '10.1.1.1, 127.0.0.1', 'X-Forwarded-Uri', '/api/v1/x/proxy/y'],
	]);
	assert.deepEqual(forwardedHeaders([], { ...CLIENT, address: undefined }), ['X-Forwarded-Uri', CLIENT.path]);
});

test('an upgrade keeps the headers that ask for it, but no token among its sub-protocols', () => {
	const protocols = 'base64url.bearer.authorization.k8s.io.dG9rZW4, chat';
	const headers = [
		...['Connection', 'Upgrade', 'Upgrade', 'websocket', 'authorization', 'Bearer t'],
		...['Sec-WebSocket-Protocol', protocols],
	];
	assert.deepEqual(forwardedHeaders(headers, { ...CLIENT, isUpgrade: true }), [
		...['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Protocol', 'chat'],
		...['X-Forwarded-For', '127.0.0.1'],
	]);
});

test('an answer is passed on without the headers by which other sites could read it', () => {
	const headers = [
		...['Content-Type', 'text/html', 'Access-Control-Allow-Origin', '*', 'Keep-Alive', 'timeout=5'],
		...['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'Content-Length', '7', 'Location', '/x'],
	];
	assert.deepEqual(answeredHeaders(headers, { location: '/p/x', 'content-length': undefined }), [
		...['Content-Type', 'text/html', 'Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'location', '/p/x'],
	]);
});
