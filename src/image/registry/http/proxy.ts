import { BlockList, isIP } from 'node:net';
import { RegistryError } from '../registry-error.ts';
import { isThisMachine, unbracketed } from './addresses.ts';

/**
 * HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in upper or lower case, with the rules of Go's x/net/http/httpproxy, which
 * containerd and docker use.
 */

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for requests to `url`; undefined for a direct connection. Throws RegistryError if its URL is malformed. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
	const [name, text] = url.protocol === 'https:' ? variable(env, 'HTTPS_PROXY') : variable(env, 'HTTP_PROXY');
	if (text === '' || isDirect(url, variable(env, 'NO_PROXY')[1])) return undefined;
	const proxy = URL.parse(/^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`);
	// The value may contain a password, so it is not shown.
	if (!proxy?.hostname) throw new RegistryError(`invalid proxy address in ${name}`, { kind: 'invalid' });
	if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
		throw new RegistryError(`proxy scheme ${proxy.protocol.slice(0, -1)} in ${name} is not supported`, {
			kind: 'invalid',
			hint: 'Use an http:// or https:// proxy.',
		});
	return proxy;
}

function variable(env: Environment, name: string): readonly [string, string] {
	return [name, (env[name] || env[name.toLowerCase()] || '').trim()];
}

/** Whether NO_PROXY, or the fact that it is this machine, excludes the host from the proxy. */
function isDirect(url: URL, noProxy: string): boolean {
	const host = unbracketed(url.hostname).toLowerCase();
	if (isThisMachine(url.hostname)) return true;
	const port = url.port || (url.protocol === 'https:' ? '443' : '80');
	return noProxy.split(',').some((each) => matches(each.trim().toLowerCase(), host, port));
}

function matches(pattern: string, host: string, port: string): boolean {
	if (pattern === '') return false;
	if (pattern === '*') return true;
	if (pattern.includes('/')) return inSubnet(pattern, host);
	const parts = /^(\[.*\]|[^:]*):(\d+)$/.exec(pattern);
	if (parts && parts[2] !== port) return false;
	const name = unbracketed(parts?.[1] ?? pattern);
	if (isIP(name)) return name === host;
	// `*.a.b` and `.a.b` match names below a.b; `a.b` matches itself, too.
	if (/^\*?\./.test(name)) return host.endsWith(name.replace(/^\*/, ''));
	return host === name || host.endsWith(`.${name}`);
}

function inSubnet(pattern: string, host: string): boolean {
	const [net = '', bits = ''] = pattern.split('/');
	const family = isIP(net);
	const prefix = Number(bits);
	if (family === 0 || isIP(host) === 0 || !/^\d+$/.test(bits) || prefix > (family === 4 ? 32 : 128))
		return false;
	const list = new BlockList();
	list.addSubnet(net, prefix, family === 4 ? 'ipv4' : 'ipv6');
	return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/** The header by which a proxy knows its user, if its URL has one. */
export function proxyAuthorization(proxy: URL): Readonly<Record<string, string>> {
	if (proxy.username === '') return {};
	const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
	return { 'Proxy-Authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}
