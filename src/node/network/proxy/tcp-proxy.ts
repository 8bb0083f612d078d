import { connect, createServer, type Server, type Socket } from 'node:net';
import type { ProxiedPort, ServiceTarget } from '../../../plan/service-proxy/proxied-port.ts';
import { TargetChoice, type TargetChoiceOptions } from './target-choice.ts';

/** How many connections all ports of a node may have at once, and how many they have. */
export interface ConnectionCount {
	readonly most: number;
	open: number;
}

/** What a {@link TcpProxy} needs. */
export interface TcpProxyOptions extends TargetChoiceOptions {
	readonly connections: ConnectionCount;
	/** Whether a client with this address is served. */
	serves(address: string): boolean;
}

/** How long a target may take to accept a connection before the next one is tried. */
const CONNECT_MS = 5000;

/**
 * Forwards the TCP connections of one port. Each direction ends by itself, as between two programs that are connected
 * directly. A connection stays with its target, also when that is no longer one of the port's: what drains it is the end
 * of the Pod.
 */
export class TcpProxy {
	readonly #options: TcpProxyOptions;
	readonly #choice: TargetChoice;
	readonly #connections: ConnectionCount;
	readonly #server: Server;
	readonly #clients = new Set<Socket>();
	#port: ProxiedPort;

	constructor(port: ProxiedPort, options: TcpProxyOptions) {
		this.#port = port;
		this.#options = options;
		this.#connections = options.connections;
		this.#choice = new TargetChoice(options);
		this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
			this.#accept(client),
		);
	}

	/** Listens. Rejects with the system's error. */
	async open(): Promise<void> {
		const { address, port } = this.#port;
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		this.#server.once('error', reject);
		this.#server.listen({ host: address, port, backlog: 4096 }, resolve);
		await promise;
		this.#server.off('error', reject);
		// Too many open files: the connection stays in the backlog, and is accepted later.
		this.#server.on('error', () => {});
	}

	/** Changes the targets of the connections to come. */
	update(port: ProxiedPort): void {
		this.#port = port;
	}

	/** Stops listening; connections continue, or end if `ends`. */
	close({ ends }: { readonly ends: boolean }): void {
		this.#server.close();
		if (ends) for (const client of this.#clients) client.destroy();
	}

	#accept(client: Socket): void {
		if (!this.#options.serves(client.remoteAddress ?? '')) {
			client.on('error', () => {}).resetAndDestroy();
			return;
		}
		this.#clients.add(client);
		this.#connections.open += 1;
		client.once('close', () => {
			this.#clients.delete(client);
			this.#connections.open -= 1;
		});
		// Also an error while no target is connected yet.
		client.on('error', () => client.destroy());
		// The server's other parts need descriptors too.
		if (this.#connections.open > this.#connections.most) client.resetAndDestroy();
		else this.#tryNext(client, this.#choice.orderFor(client.remoteAddress ?? '', this.#port), 0);
	}

	/** A target that refuses may have ended just now, before the change of the endpoints has arrived here. */
	#tryNext(client: Socket, order: readonly ServiceTarget[], index: number): void {
		const target = order[index];
		if (client.destroyed) return;
		if (!target) {
			client.resetAndDestroy();
			return;
		}
		const server = connect({
			host: target.address,
			port: target.port,
			allowHalfOpen: true,
			noDelay: true,
		});
		const fail = (): void => {
			server.destroy();
			this.#tryNext(client, order, index + 1);
		};
		const abandon = (): void => void server.destroy();
		server.setTimeout(CONNECT_MS, fail);
		server.once('error', fail);
		client.once('close', abandon);
		server.once('connect', () => {
			server.setTimeout(0);
			server.off('timeout', fail);
			server.off('error', fail);
			client.off('close', abandon);
			this.#choice.note(client.remoteAddress ?? '', target, this.#port);
			join(client, server);
		});
	}
}

/** Joins two connections: each gets what the other sends, and its end; an error of one resets the other. */
function join(client: Socket, server: Socket): void {
	for (const [from, to] of [
		[client, server],
		[server, client],
	] as const) {
		from.pipe(to);
		from.on('error', () => to.resetAndDestroy());
		from.once('close', () => {
			if (!from.readableEnded) to.destroy();
		});
	}
}
