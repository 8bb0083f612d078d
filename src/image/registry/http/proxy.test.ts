import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { proxyAuthorization, proxyFor } from './proxy.ts';

const env = { HTTPS_PROXY: 'http://proxy:3128', HTTP_PROXY: 'plain:80' };

function host(url: string, noProxy = ''): string | undefined {
	return proxyFor(new URL(url), { ...env, NO_PROXY: noProxy })?.host;
}

describe('proxyFor', () => {
	test('takes the variable of the protocol, in upper or lower case', () => {
		assert.equal(host('https://a.example/'), 'proxy:3128');
		assert.equal(host('http://a.example/'), 'plain');
		assert.equal(proxyFor(new URL('https://a/'), { https_proxy: 'p:1' })?.host, 'p:1');
		assert.equal(proxyFor(new URL('https://a/'), { http_proxy: 'p:1' }), undefined);
	});

	test('never uses a proxy for this machine', () => {
		for (const url of ['https://localhost/', 'https://127.3.2.1:5000/', 'http://[::1]/'])
			assert.equal(host(url), undefined);
	});

	test('excludes hosts as Go does', () => {
		const cases: readonly (readonly [string, string, boolean])[] = [
			['a.example', 'https://a.example/', true],
			['a.example', 'https://b.a.example/', true],
			['.a.example', 'https://b.a.example/', true],
			['.a.example', 'https://a.example/', false],
			['*.a.example', 'https://b.a.example/', true],
			['a.example', 'https://xa.example/', false],
			['other, a.EXAMPLE', 'https://A.example/', true],
			['a.example:443', 'https://a.example/', true],
			['a.example:5000', 'https://a.example/', false],
			['a.example:5000', 'https://a.example:5000/', true],
			['*', 'https://a.example/', true],
			['10.0.0.0/8', 'https://10.1.2.3/', true],
			['10.0.0.0/8', 'https://11.1.2.3/', false],
			['10.1.2.3', 'https://10.1.2.3:5000/', true],
			['fd00::/8', 'https://[fd00::1]/', true],
			['10.0.0.0/99', 'https://10.1.2.3/', false],
			['', 'https://a.example/', false],
		];
		for (const [list, url, isDirect] of cases)
			assert.equal(host(url, list) === undefined, isDirect, `${list} ${url}`);
	});

	test('does not show a malformed value, and refuses schemes that it cannot speak', () => {
		const at = (value: string) => () => proxyFor(new URL('https://a/'), { HTTPS_PROXY: value });
		assert.throws(at('http://u:s3cret@ /'), { message: 'invalid proxy address in HTTPS_PROXY' });
		assert.throws(at('socks5://u:s3cret@p:1'), {
			message: 'proxy scheme socks5 in HTTPS_PROXY is not supported',
		});
	});

	test('the user in its URL becomes a header', () => {
		assert.deepEqual(proxyAuthorization(new URL('http://p:1')), {});
		const header = proxyAuthorization(new URL('http://u:p%40w@p:1'))['Proxy-Authorization'] ?? '';
		assert.equal(Buffer.from(header.replace('Basic ', ''), 'base64').toString(), 'u:p@w');
	});
});
