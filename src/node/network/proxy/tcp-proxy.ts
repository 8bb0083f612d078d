import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../base/clock.ts';
import type { ProxiedPort, ServiceTarget } from '../../../plan/service-proxy/proxied-port.ts';
import { joinConnections } from '../../../runtime/join-connections.ts';
import type { PodSockets } from '../../../runtime/pod-sockets.ts';
import { TargetChoice, type TargetChoiceOptions } from './target-choice.ts';

/** How many connections all ports of a node may have at once, and how many they have. */
export interface ConnectionCount {
	readonly most: number;
	open: number;
}

/** What a {@link TcpProxy} needs. */
export interface TcpProxyOptions extends TargetChoiceOptions {
	readonly connections: ConnectionCount;
	readonly clock: Clock;
	readonly sockets: Pick<PodSockets, 'connect' | 'listen'>;
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
		await this.#options.sockets.listen(this.#server, { host: address, port });
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
		else void this.#serve(client);
	}

	async #serve(client: Socket): Promise<void> {
		const from = client.remoteAddress ?? '';
		// A target that refuses may have ended just now, before the change of the endpoints has arrived here.
		for (const target of this.#choice.orderFor(from, this.#port)) {
			const server = await this.#connect(client, target);
			if (client.destroyed) return void server?.destroy();
			if (!server) continue;
			this.#choice.note(from, target, this.#port);
			return joinConnections(client, server);
		}
		client.resetAndDestroy();
	}

	/** Resolves to undefined if the target refuses, does not accept in time, or the client has gone. */
	async #connect(client: Socket, { address: host, port }: ServiceTarget): Promise<Socket | undefined> {
		const { clock, sockets } = this.#options;
		const ended = new AbortController();
		const abandon = (): void => ended.abort();
		const timer = clock.setTimer(CONNECT_MS, abandon);
		client.once('close', abandon);
		try {
			return await sockets.connect({ host, port }, ended.signal);
		} catch {
			return undefined;
		} finally {
			timer.cancel();
			client.off('close', abandon);
		}
	}
}
