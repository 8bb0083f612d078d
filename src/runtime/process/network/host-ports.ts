/**
 * The ports of this machine that are forwarded to Pods with networks of their own: `hostPort`. They are open while the server
 * runs, on loopback addresses only: nothing of a Pod is open to other machines.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { PortMapping } from '../../../api/contract/sandbox-config.ts';
import { messageOf } from '../../../base/message-of.ts';
import { joinConnections } from '../../join-connections.ts';
import type { PodSockets } from '../../pod-sockets.ts';

/** The Pod to forward to. */
export interface HostPortTarget {
	readonly id: string;
	readonly ip: string;
	readonly ports: readonly PortMapping[];
}

/** How the ports reach their Pods. */
export interface HostPortsOptions extends Pick<PodSockets, 'connect'> {
	/** Receives the errors of ports that cannot be opened. */
	onError(error: unknown): void;
}

/** Addresses that mean all addresses of the machine, or none in particular. */
const EVERYWHERE = new Set(['', '0.0.0.0', '::']);
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1)$/;

/** See the header of this file. */
export class HostPorts {
	readonly #open = new Map<string, readonly Server[]>();
	readonly #connections = new Map<string, Set<Socket>>();
	readonly #options: HostPortsOptions;

	constructor(options: HostPortsOptions) {
		this.#options = options;
	}

	/** Opens the ports of a sandbox; does nothing if that was done. */
	open({ id, ip, ports }: HostPortTarget): void {
		const wanted = ports.filter(({ protocol, hostPort }) => protocol === 'TCP' && hostPort > 0);
		if (this.#open.has(id) || wanted.length === 0) return;
		this.#connections.set(id, new Set());
		const servers = wanted.flatMap((mapping) => {
			const host = addressOf(mapping);
			return host === undefined ? [] : [this.#listen(mapping, { id, ip, host })];
		});
		this.#open.set(id, servers);
	}

	/** Closes the ports of a sandbox, and their connections. */
	close(id: string): void {
		for (const server of this.#open.get(id) ?? []) server.close();
		for (const socket of this.#connections.get(id) ?? []) socket.destroy();
		this.#open.delete(id);
		this.#connections.delete(id);
	}

	/** Closes all. */
	closeAll(): void {
		for (const id of [...this.#open.keys()]) this.close(id);
	}

	#listen(
		{ hostPort, containerPort }: PortMapping,
		{ id, ip, host }: { readonly id: string; readonly ip: string; readonly host: string },
	): Server {
		const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
			client.on('error', () => client.destroy());
			this.#options.connect({ host: ip, port: containerPort }).then(
				(pod) => this.#join(id, client, pod),
				() => client.destroy(),
			);
		});
		server.on('error', (error) =>
			this.#options.onError(
				new Error(`hostPort ${hostPort} cannot be opened on ${host}: ${messageOf(error)}`),
			),
		);
		server.listen({ host, port: hostPort });
		server.unref();
		return server;
	}

	/** Forwards until both sides end; ends both if the Pod has ended meanwhile. */
	#join(id: string, client: Socket, pod: Socket): void {
		const connections = this.#connections.get(id);
		joinConnections(client, pod);
		for (const socket of [client, pod]) {
			connections?.add(socket);
			socket.on('close', () => connections?.delete(socket));
			if (!connections) socket.destroy();
		}
	}
}

/** The address to listen on; undefined for one that other machines could reach. */
function addressOf({ hostIP }: PortMapping): string | undefined {
	if (EVERYWHERE.has(hostIP)) return '127.0.0.1';
	return LOOPBACK.test(hostIP) ? hostIP : undefined;
}
