/**
 * The way of Pods in the network of the node to other machines: the connections that the kernel gives to the agent's socket
 * (native/shim/egress.c) are made again by this process, as its user's. Datagrams are forwarded by the shim.
 *
 * 1. Pods reach what this machine's user reaches, but for its loopback addresses: what listens there is not meant for Pods.
 * 2. Addresses of Pods and Services are none of other machines, wherever the machine's routes lead.
 */
import { BlockList, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../../../base/clock.ts';
import { descriptorLimit } from '../../../../base/files/descriptor-limit.ts';
import { joinConnections } from '../../../join-connections.ts';
import { HOST_SOCKETS, type PodSockets } from '../../../pod-sockets.ts';
import { addRange } from './address-ranges.ts';

/** The components and settings of an {@link Egress}. */
export interface EgressOptions {
	readonly clock: Clock;
	/** The addresses of Pods and Services. */
	readonly inside: readonly string[];
	/** Default: makes connections in the network of this process. */
	readonly connect?: PodSockets['connect'];
}

/** How long another machine may take to accept a connection: as long as Linux tries by itself. */
const CONNECT_MS = 130_000;
const MOST_CONNECTIONS = 4096;
/** A connection has two descriptors, and other parts of the server need most of them. */
const SHARE_OF_DESCRIPTORS = 8;

/** Loopback, no address, several machines, and all machines. */
const REFUSED = ['127.0.0.0/8', '0.0.0.0/8', '224.0.0.0/4', '240.0.0.0/4'];

/** See the header of this file. */
export class Egress {
	readonly #options: EgressOptions;
	readonly #refused = new BlockList();
	readonly #most = Math.min(
		MOST_CONNECTIONS,
		Math.floor((descriptorLimit() ?? Number.POSITIVE_INFINITY) / SHARE_OF_DESCRIPTORS),
	);
	#server: Server | undefined;
	#open = 0;

	constructor(options: EgressOptions) {
		this.#options = options;
		for (const range of [...REFUSED, ...options.inside]) addRange(this.#refused, range);
	}

	/** Serves the connections that `socket` gets, in place of those of an earlier one. */
	serve(socket: Server): void {
		this.close();
		this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
			client.on('error', () => client.destroy());
			void this.#forward(client);
		});
		// Too many open files: the connection stays in the backlog, and is accepted later.
		this.#server.on('error', () => {});
		this.#server.listen(socket);
		this.#server.unref();
	}

	/** Accepts no further connection; those that were made continue. */
	close(): void {
		this.#server?.close();
		this.#server = undefined;
	}

	/** The own address of an accepted connection is the one that the Pod has asked for. */
	async #forward(client: Socket): Promise<void> {
		const { localAddress: host = '', localPort: port = 0 } = client;
		if (this.#open >= this.#most || this.#refused.check(host)) return void client.resetAndDestroy();
		this.#open += 1;
		client.once('close', () => {
			this.#open -= 1;
		});
		const { clock, connect = HOST_SOCKETS.connect } = this.#options;
		const ended = new AbortController();
		const timer = clock.setTimer(CONNECT_MS, () => ended.abort());
		const abandon = (): void => ended.abort();
		client.once('close', abandon);
		try {
			joinConnections(client, await connect({ host, port }, ended.signal));
		} catch {
			client.resetAndDestroy();
		} finally {
			timer.cancel();
			client.off('close', abandon);
		}
	}
}
