import type { ClientRequest } from 'node:http';
import type { AgentOptions } from 'node:https';

/** A way to a server, with its own kept connections. */
export interface Route {
	/** The path of the Unix socket, if it is one. */
	readonly socket?: string;
	/** Starts a request. The caller ends its body. */
	send(head: RequestHead): ClientRequest;
	/** Closes all connections; pending requests fail. */
	close(): void;
}

interface RequestHead {
	readonly method: string;
	/** With the query. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string | string[]>>;
	readonly signal?: AbortSignal;
}

/** The server at an `https:` address. */
export function httpsRoute(base: URL, tls: AgentOptions): Route {
	const { Agent, request } = process.getBuiltinModule('node:https');
	const agent = new Agent({ keepAlive: true, ...tls });
	const { hostname, port } = base;
	return {
		send: (head) => request({ agent, hostname: unbracketed(hostname), port, ...head }),
		close: () => agent.destroy(),
	};
}

/** The server at an `http:` address, or the server of `base` behind its Unix socket at the path `socket`. */
export function httpRoute(base: URL, socket?: string): Route {
	// Importing the module node:http would load the WebSocket client too, which takes 20 ms.
	const { Agent, request } = process.getBuiltinModule('node:http');
	// Without a name here, Node would look for one for TLS in the header Host, by a regular expression for IPv6
	// addresses that takes 6 ms to compile.
	const options = { keepAlive: true, servername: '' };
	const agent = new Agent(options);
	const { hostname, port, host } = base;
	const target = socket === undefined ? { hostname: unbracketed(hostname), port } : { socketPath: socket };
	return {
		...(socket !== undefined && { socket }),
		send: (head) => request({ agent, ...target, ...head, headers: { Host: host, ...head.headers } }),
		close: () => agent.destroy(),
	};
}

/** The address in the host name of a URL, which has brackets around an IPv6 address. */
function unbracketed(hostname: string): string {
	return hostname.replace(/^\[(.*)\]$/, '$1');
}
