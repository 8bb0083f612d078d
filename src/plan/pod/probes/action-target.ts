/**
 * Where the actions of probes and hooks go: ports by name, the URL and headers of an HTTP request, and the command with
 * its variables expanded (upstream: pkg/probe/util.go and pkg/probe/http/request.go).
 */

import type { Container, LifecycleHandler, Probe } from '../../../api/core/pod/schema.ts';
import { quote } from '../../../base/quote.ts';
import { Expansion } from '../config/environment.ts';

/** The version in the user agent of probes and hooks: that of the API which stint serves. */
const VERSION = '1.37';

/** The user agent of probes. */
export const PROBE_AGENT = `kube-probe/${VERSION}`;

type HttpGet = NonNullable<Probe['httpGet']>;

/** An HTTP request of a probe or hook. */
export interface HttpTarget {
	readonly scheme: 'http' | 'https';
	readonly host: string;
	readonly port: number;
	/** With the query, as it is sent. */
	readonly path: string;
	/** In lower case, with the values of repeated names in order. `host` replaces that of the URL. */
	readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** The port with this number or name. Throws an Error with upstream's message if the container has none. */
export function portOf({ ports = [] }: Container, port: number | string): number {
	const found = typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort;
	if (found === undefined) throw new Error(`port ${quote(String(port))} not found`);
	if (found > 0 && found < 65_536) return found;
	throw new Error(`invalid port number: ${found}`);
}

/** The request of an HTTP action. `purpose` becomes part of the user agent, as in `kube-probe/1.37`. */
export function httpTargetOf(
	container: Container,
	{ scheme = 'HTTP', host = '', port, path = '', httpHeaders = [] }: HttpGet,
	{ podIP, purpose }: { readonly podIP: string; readonly purpose: 'probe' | 'lifecycle' },
): HttpTarget {
	const headers = new Map<string, string[]>();
	for (const { name, value } of httpHeaders) {
		const key = name.toLowerCase();
		headers.set(key, [...(headers.get(key) ?? []), value]);
	}
	if (!headers.has('user-agent')) headers.set('user-agent', [`kube-${purpose}/${VERSION}`]);
	if (!headers.has('accept')) headers.set('accept', ['*/*']);
	else if (headers.get('accept')?.[0] === '') headers.delete('accept');
	return {
		scheme: scheme === 'HTTPS' ? 'https' : 'http',
		host: host || podIP,
		port: portOf(container, port),
		// A fragment is not sent.
		path: absolute(path.split('#', 1)[0] ?? ''),
		headers,
	};
}

/** The path as a client sends it: never empty, without characters that end a request line. */
function absolute(path: string): string {
	const escaped = path.toWellFormed().replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));
	return escaped.startsWith('/') ? escaped : `/${escaped}`;
}

/** The address `host:port`, as Go's net.JoinHostPort writes it. */
export function joinHostPort(host: string, port: number): string {
	return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The URL of the request, for messages. */
export function urlOf({ scheme, host, port, path }: HttpTarget): string {
	return `${scheme}://${joinHostPort(host, port)}${path}`;
}

/**
 * The command of an exec probe, with `$(NAME)` replaced by the variables in the container's `env`. Upstream does not
 * resolve variables from other sources here: they are empty. Hooks' commands are not expanded at all.
 */
export function probeCommand(
	{ env = [] }: Container,
	{ command = [] }: NonNullable<LifecycleHandler['exec']>,
): readonly string[] {
	const values = new Map(env.map(({ name, value = '' }) => [name, value]));
	const expansion = new Expansion();
	return command.map((part) => expansion.expand(part, values));
}
