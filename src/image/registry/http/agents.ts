import http from 'node:http';
import https from 'node:https';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { RegistryError } from '../registry-error.ts';
import { guardedLookup } from './addresses.ts';
import { proxyAuthorization } from './proxy.ts';

/** What distinguishes connections: those that differ in it are not shared between requests. */
export interface ConnectionRoute {
	readonly isSecure: boolean;
	readonly proxy?: URL;
	readonly tls?: TlsSettings;
	/** Whether the host may be this machine; see addresses.ts. */
	readonly allowLoopback: boolean;
}

/** How the certificate of a host is verified, and with which one this program introduces itself. All in PEM. */
export interface TlsSettings {
	/** Trusted in addition to Node's certificate authorities. */
	readonly ca?: string;
	readonly cert?: string;
	readonly key?: string;
	/** Whether any certificate is accepted. */
	readonly insecureSkipVerify?: boolean;
}

/** The open connections, by route. A connection without a request is closed after five seconds. */
export class Agents {
	readonly #agents = new Map<string, http.Agent>();
	#trustsSystem = false;

	/** The agent for the route. */
	of(route: ConnectionRoute): http.Agent {
		const key = JSON.stringify([
			route.isSecure,
			route.proxy?.href,
			route.tls,
			route.allowLoopback,
			this.#trustsSystem,
		]);
		const found = this.#agents.get(key);
		if (found) return found;
		const agent = this.#create(route);
		this.#agents.set(key, agent);
		return agent;
	}

	/**
	 * Trusts the certificate authorities of the system from now on. Returns false if it does so already. They are not
	 * loaded at the start, because that takes 80 ms, and few registries need them.
	 */
	trustSystem(): boolean {
		if (this.#trustsSystem) return false;
		this.#trustsSystem = true;
		return true;
	}

	/** Closes all connections. */
	close(): void {
		for (const agent of this.#agents.values()) agent.destroy();
		this.#agents.clear();
	}

	#create(route: ConnectionRoute): http.Agent {
		const options = { keepAlive: true, timeout: 5000 };
		const lookup = guardedLookup(route.proxy !== undefined || route.allowLoopback);
		if (!route.isSecure) return new http.Agent({ ...options, lookup });
		const { insecureSkipVerify, ca, cert, key } = route.tls ?? {};
		const secure = {
			...options,
			lookup,
			secureContext: tls.createSecureContext({
				...(cert && { cert }),
				...(key && { key }),
				...((ca || this.#trustsSystem) && { ca: this.#authorities(ca) }),
			}),
			rejectUnauthorized: !insecureSkipVerify,
			ALPNProtocols: ['http/1.1'],
		};
		return route.proxy ? new TunnelAgent(secure, route.proxy) : new https.Agent(secure);
	}

	#authorities(ca: string | undefined): string[] {
		const system = this.#trustsSystem ? tls.getCACertificates('system') : [];
		return [...new Set([...tls.getCACertificates('default'), ...system, ...(ca ? [ca] : [])])];
	}
}

/** Connects through a proxy by CONNECT, so that the proxy sees only which host is meant. */
class TunnelAgent extends https.Agent {
	readonly #proxy: URL;
	readonly #tls: https.AgentOptions;

	constructor(options: https.AgentOptions, proxy: URL) {
		super(options);
		this.#tls = options;
		this.#proxy = proxy;
	}

	override createConnection(
		target: https.RequestOptions,
		callback?: (error: Error | null, stream: Duplex) => void,
	): undefined {
		const host = target.host ?? '';
		const authority = `${host.includes(':') ? `[${host}]` : host}:${target.port ?? 443}`;
		const connect = requestTo(this.#proxy, {
			method: 'CONNECT',
			path: authority,
			headers: { Host: authority, ...proxyAuthorization(this.#proxy) },
			agent: false,
		});
		const fail = (error: Error): void => {
			// Node's types demand a stream where Node itself passes none.
			callback?.(error, new Duplex());
		};
		connect.once('error', fail);
		connect.once('connect', (response, socket) => {
			connect.off('error', fail);
			if (response.statusCode !== 200) {
				socket.destroy();
				const text = `proxyconnect tcp: ${response.statusMessage ?? response.statusCode}`;
				return fail(new RegistryError(text, { kind: 'unreachable' }));
			}
			const { secureContext, rejectUnauthorized, ALPNProtocols } = this.#tls;
			const servername = typeof target.servername === 'string' ? target.servername : '';
			callback?.(
				null,
				tls.connect({ socket, servername, host, secureContext, rejectUnauthorized, ALPNProtocols }),
			);
		});
		connect.end();
	}
}

/** A request to the proxy itself, without a body yet. */
export function requestTo(proxy: URL, options: http.RequestOptions): http.ClientRequest {
	const { hostname, port, protocol } = proxy;
	const target = { ...options, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port };
	return protocol === 'https:' ? https.request(target) : http.request(target);
}
