import type { ClientRequest } from 'node:http';
import type { ServerAccess } from '../kubeconfig/kubeconfig.ts';
import { type HttpTransportOptions, isUnconnected, tlsOptions } from './http-node.ts';
import { httpRoute, httpsRoute, type Route } from './http-node-route.ts';

/** The head of a request that another program has made. */
export interface ForwardedHead {
	readonly method: string;
	/** With the query. */
	readonly path: string;
	/** Without Host. Names in lower case. */
	readonly headers: Readonly<Record<string, string[]>>;
}

/**
 * Sends requests as they are to the API server of a kubeconfig, with its credentials: over HTTPS, or at the server's Unix
 * socket until no server listens there. A request that has credentials of its own keeps them, as with kubectl proxy.
 */
export class ApiForwarder {
	readonly #base: URL;
	readonly #access: ServerAccess;
	readonly #beforeTls: () => void;
	#local: Route | undefined;
	#remote: Route | undefined;

	constructor(access: ServerAccess, { socket, beforeTls = () => undefined }: HttpTransportOptions) {
		this.#access = access;
		this.#beforeTls = beforeTls;
		this.#base = new URL(access.server.replace(/\/+$/, ''));
		if (socket !== undefined) this.#local = httpRoute(this.#base, socket);
	}

	/** Starts a request; the caller writes its body. An upgrade of the connection is the caller's too. */
	send({ method, path, headers }: ForwardedHead): ClientRequest {
		const { token } = this.#access;
		const isSecure = this.#base.protocol === 'https:';
		const sent = (this.#local ?? this.#address()).send({
			method,
			path: `${this.#base.pathname.replace(/\/$/, '')}${path}`,
			headers: { ...(isSecure && token && { authorization: `Bearer ${token}` }), ...headers },
		});
		sent.on('error', (error) => {
			// The server was killed and has left its socket. The next request goes to the address.
			if (this.#local && isUnconnected(error)) this.#local = undefined;
		});
		return sent;
	}

	/** Closes all connections; pending requests fail. */
	close(): void {
		this.#local?.close();
		this.#remote?.close();
	}

	#address(): Route {
		if (this.#remote) return this.#remote;
		const isSecure = this.#base.protocol === 'https:';
		if (isSecure) this.#beforeTls();
		this.#remote = isSecure ? httpsRoute(this.#base, tlsOptions(this.#access)) : httpRoute(this.#base);
		return this.#remote;
	}
}
