/**
 * The ports of this machine that are forwarded to Pods with networks of their own: `hostPort`. They are open while the server
 * runs, on loopback addresses only: nothing of a Pod is open to other machines.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { PortMapping } from '../../../api/contract/sandbox-config.ts';
import { messageOf } from '../../../base/message-of.ts';

/** The Pod to forward to. */
export interface HostPortTarget {
	readonly id: string;
	readonly ip: string;
	readonly ports: readonly PortMapping[];
}

/** Addresses that mean all addresses of the machine, or none in particular. */
const EVERYWHERE = new Set(['', '0.0.0.0', '::']);
const LOOPBACK = /^(127(\.\d{1,3}){3}|::1)$/;

/** See the header of this file. */
export class HostPorts {
	readonly #open = new Map<string, readonly Server[]>();
	readonly #connections = new Map<string, Set<Socket>>();
	readonly #onError: (error: unknown) => void;

	/** `onError` receives the errors of ports that cannot be opened. */
	constructor(onError: (error: unknown) => void) {
		this.#onError = onError;
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
		const server = createServer({ allowHalfOpen: true }, (client) => {
			const pod = connect({ host: ip, port: containerPort, allowHalfOpen: true });
			for (const [socket, other] of [
				[client, pod],
				[pod, client],
			] as const) {
				this.#connections.get(id)?.add(socket);
				socket.on('error', () => other.destroy());
				socket.on('close', () => this.#connections.get(id)?.delete(socket));
				socket.pipe(other);
			}
		});
		server.on('error', (error) =>
			this.#onError(new Error(`hostPort ${hostPort} cannot be opened on ${host}: ${messageOf(error)}`)),
		);
		server.listen({ host, port: hostPort });
		server.unref();
		return server;
	}
}

/** The address to listen on; undefined for one that other machines could reach. */
function addressOf({ hostIP }: PortMapping): string | undefined {
	if (EVERYWHERE.has(hostIP)) return '127.0.0.1';
	return LOOPBACK.test(hostIP) ? hostIP : undefined;
}
