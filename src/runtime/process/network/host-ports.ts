/**
 * The ports of this machine that are forwarded to Pods with networks of their own: `hostPort`. They are open while the server
 * runs, on addresses that only the machine and its Pods reach: nothing of a Pod is open to other machines.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { getSystemErrorMessage } from 'node:util';
import { hostPortAddresses } from '../../../api/contract/host-port-addresses.ts';
import type { PortMapping } from '../../../api/contract/sandbox-config.ts';
import type { Clock } from '../../../base/clock.ts';
import { messageOf } from '../../../base/message-of.ts';
import { DatagramFlows } from '../../datagram-flows.ts';
import { joinConnections } from '../../join-connections.ts';
import { HOST_SOCKETS, type PodSockets } from '../../pod-sockets.ts';

/** The Pod to forward to. */
export interface HostPortTarget {
	readonly id: string;
	readonly ip: string;
	readonly ports: readonly PortMapping[];
	/** See PodNetworkTrait. */
	readonly nodeAddress: string | undefined;
}

/** How the ports reach their Pods. */
export interface HostPortsOptions extends Pick<PodSockets, 'connect' | 'datagramsTo'> {
	readonly clock: Clock;
}

type OpenPort = Pick<Server | DatagramFlows, 'close'>;

/** See the header of this file. */
export class HostPorts {
	readonly #open = new Map<string, readonly OpenPort[]>();
	readonly #connections = new Map<string, Set<Socket>>();
	readonly #options: HostPortsOptions;

	constructor(options: HostPortsOptions) {
		this.#options = options;
	}

	/**
	 * Opens the ports of a sandbox, unless they are open or it is closed meanwhile. If one of them cannot be opened, none stays
	 * open, and it rejects.
	 */
	async open(target: HostPortTarget): Promise<void> {
		const { id, ports, nodeAddress } = target;
		const wanted = ports.filter(({ hostPort }) => hostPort > 0);
		if (this.#open.has(id) || wanted.length === 0) return;
		this.#connections.set(id, new Set());
		const opened: OpenPort[] = [];
		this.#open.set(id, opened);
		try {
			for (const mapping of wanted)
				for (const host of hostPortAddresses(mapping, nodeAddress)) {
					// Added once it listens: a server that is closed before never says what became of it.
					opened.push(await this.#openAt(host, mapping, target));
					if (this.#open.get(id) !== opened) return closeAll(opened);
				}
		} catch (error) {
			if (this.#open.get(id) === opened) this.close(id);
			else closeAll(opened);
			throw error;
		}
	}

	/** Closes the ports of a sandbox, and their connections. */
	close(id: string): void {
		closeAll(this.#open.get(id) ?? []);
		for (const socket of this.#connections.get(id) ?? []) socket.destroy();
		this.#open.delete(id);
		this.#connections.delete(id);
	}

	/** Closes all. */
	closeAll(): void {
		for (const id of [...this.#open.keys()]) this.close(id);
	}

	async #openAt(host: string, mapping: PortMapping, target: HostPortTarget): Promise<OpenPort> {
		try {
			const opening =
				mapping.protocol === 'UDP' ? this.#bind(mapping, target, host) : this.#listen(mapping, target, host);
			return await opening;
		} catch (error) {
			throw new Error(`the hostPort ${mapping.hostPort} cannot be opened on ${host}: ${systemText(error)}`);
		}
	}

	async #listen(
		{ hostPort: port, containerPort }: PortMapping,
		{ id, ip }: HostPortTarget,
		host: string,
	): Promise<OpenPort> {
		const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
			client.on('error', () => client.destroy());
			this.#options.connect({ host: ip, port: containerPort }).then(
				(pod) => this.#join(id, client, pod),
				() => client.destroy(),
			);
		});
		// Such as a connection for which no descriptor is free.
		server.on('error', () => {});
		server.unref();
		await HOST_SOCKETS.listen(server, { host, port });
		return server;
	}

	async #bind(
		{ hostPort: port, containerPort }: PortMapping,
		{ ip }: HostPortTarget,
		host: string,
	): Promise<OpenPort> {
		const { clock, datagramsTo } = this.#options;
		const target = { host: ip, port: containerPort };
		const sockets = { bind: HOST_SOCKETS.bind, datagramsTo };
		const flows = new DatagramFlows({ clock, sockets, targetFor: () => target });
		await flows.open({ host, port });
		return flows;
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

function closeAll(ports: readonly OpenPort[]): void {
	for (const port of ports) port.close();
}

/** What the system says about an error, without the call and the address. */
function systemText(error: unknown): string {
	return error instanceof Error && 'errno' in error
		? getSystemErrorMessage(Number(error.errno))
		: messageOf(error);
}
