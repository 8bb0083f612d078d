import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podWith } from '../pod/testing/pod-with.ts';
import { proxiedName, proxiedPodPort } from './proxied-name.ts';
import { proxiedPath } from './proxied-path.ts';
import { proxiedUrl } from './proxied-url.ts';

test('a name may have a scheme and a port', () => {
	assert.deepEqual(proxiedName('p'), { isTls: false, name: 'p', port: '' });
	assert.deepEqual(proxiedName('p:80'), { isTls: false, name: 'p', port: '80' });
	assert.deepEqual(proxiedName('http:p:web'), { isTls: false, name: 'p', port: 'web' });
	assert.deepEqual(proxiedName('https:p:'), { isTls: true, name: 'p', port: '' });
	for (const id of ['', ':80', 'ftp:p:21', 'http::80', 'a:b:c:d'])
		assert.equal(proxiedName(id), undefined, id);
});

test('the port of a Pod has a number or a name, or is the first of its containers', () => {
	const ports = [{ containerPort: 8080, name: 'web', protocol: 'TCP' as const }];
	const pod = podWith({
		containers: [
			{ name: 'a', image: 'i' },
			{ name: 'b', image: 'i', ports },
		],
	});
	const portOf = (port: string, isTls = false) => proxiedPodPort(pod, { isTls, name: 'p', port });
	assert.deepEqual(
		['', '1', 'web'].map((port) => portOf(port)),
		[8080, 1, 8080],
	);
	assert.deepEqual(
		['0', '65536', 'x', '-1'].map((port) => portOf(port)),
		[undefined, undefined, undefined, undefined],
	);
	const bare = podWith({ containers: [{ name: 'a', image: 'i' }] });
	assert.deepEqual(
		[false, true].map((isTls) => proxiedPodPort(bare, { isTls, name: 'p', port: '' })),
		[80, 443],
	);
});

test('the path behind the proxy is absolute and clean', () => {
	const at = (rest: string): unknown => {
		const [kept = ''] = rest.replace(/^\/+|\/+$/g, '').split('?');
		return proxiedPath(`/api/v1/namespaces/d/pods/p/proxy${rest}`, kept);
	};
	const prefix = '/api/v1/namespaces/d/pods/p/proxy';
	assert.deepEqual(at(''), { prefix, path: '' });
	assert.deepEqual(at('/'), { prefix, path: '/' });
	assert.deepEqual(at('/a/b'), { prefix, path: '/a/b' });
	assert.deepEqual(at('/a//b/./c/../d/'), { prefix, path: '/a/b/d/' });
	assert.deepEqual(at('/../../../x%2Fy'), { prefix, path: '/x%2Fy' });
});

test('links of the same host lead through the proxy', () => {
	const place = { prefix: '/p', backendHost: '10.0.0.1:80', requestHost: 'localhost:8001' };
	const cases = {
		'/': '/p/',
		'/a?b=/c#d': '/p/a?b=/c#d',
		'/p/a': '/p/a',
		'/../../secrets': '/p/secrets',
		'http://10.0.0.1:80/a/': '/p/a/',
		'//10.0.0.1:80/a': '/p/a',
		'http://localhost:8001/a': 'http://localhost:8001/p/a',
		'http://localhost:8001/p/a': 'http://localhost:8001/p/a',
		'http://other/a': 'http://other/a',
		'//other/a': '//other/a',
		'a/b': 'a/b',
		'../a': '../a',
		'?a': '?a',
		'#a': '#a',
		'mailto:a@b': 'mailto:a@b',
		'http://10.0.0.1:80': 'http://10.0.0.1:80',
	};
	for (const [target, expected] of Object.entries(cases)) assert.equal(proxiedUrl(target, place), expected);
});
