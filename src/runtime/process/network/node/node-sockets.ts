/**
 * The sockets of a server whose Pods are in the network of the node: those with addresses of Pods and Services are opened in there
 * by the agent, all others in the network of this process. All are handled by this process, however they were opened.
 */
import { Socket as Datagrams } from 'node:dgram';
import { closeSync, openSync } from 'node:fs';
import { BlockList, type Server, Socket } from 'node:net';
import { assert } from '../../../../base/assert.ts';
import { HOST_SOCKETS, type PodSockets, type SocketAddress } from '../../../pod-sockets.ts';
import type { NodeNetwork } from '../pod-bridge.ts';
import { NetworkAgent } from './network-agent.ts';

/** The components and settings of {@link NodeSockets}. */
export interface NodeSocketsOptions {
	/** The shim's executable file. */
	readonly shim: string;
	/** The addresses of Services, which are those of the network of the node; absent: none are. */
	readonly serviceRange: string | undefined;
}

/** See the header of this file. */
export class NodeSockets implements PodSockets {
	readonly #options: NodeSocketsOptions;
	readonly #pods = new BlockList();
	readonly #inside = new BlockList();
	/** A descriptor of the namespace, by which it outlives a launcher without Pods. */
	#held: number | undefined;
	#agent: Promise<NetworkAgent> | undefined;
	#isClosed = false;

	constructor(options: NodeSocketsOptions) {
		this.#options = options;
		if (options.serviceRange !== undefined) addRange(this.#inside, options.serviceRange);
	}

	/** The path of the namespace, for a launcher that has none; undefined before {@link use}. */
	get held(): string | undefined {
		return this.#held === undefined ? undefined : `/proc/${process.pid}/fd/${this.#held}`;
	}

	/** Uses the namespace from now on; does nothing if it has one. Rejects with an Error if the agent cannot be started. */
	async use({ path, podRange }: NodeNetwork): Promise<void> {
		if (this.#held === undefined) {
			this.#held = openSync(path, 'r');
			addRange(this.#pods, podRange);
			addRange(this.#inside, podRange);
		}
		await this.#started();
	}

	/** Ends the agent. Sockets stay open. */
	stop(): void {
		this.#isClosed = true;
		void this.#agent?.then((agent) => agent.stop()).catch(() => {});
		if (this.#held !== undefined) closeSync(this.#held);
		this.#held = undefined;
	}

	async connect(to: SocketAddress, signal?: AbortSignal): Promise<Socket> {
		if (!this.#inside.check(to.host)) return await HOST_SOCKETS.connect(to, signal);
		const socket = await this.#open('connect', to);
		assert(socket instanceof Socket, 'the agent connects a socket');
		if (signal?.aborted) {
			socket.destroy();
			signal.throwIfAborted();
		}
		socket.allowHalfOpen = true;
		return socket.setNoDelay(true);
	}

	async listen(server: Server, at: SocketAddress): Promise<void> {
		if (!this.#inside.check(at.host)) return await HOST_SOCKETS.listen(server, at);
		const opened = await this.#open('listen', at);
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(opened, () => {
				server.off('error', reject);
				resolve();
			});
		});
	}

	async bind(at: SocketAddress): Promise<Datagrams> {
		if (!this.#inside.check(at.host)) return await HOST_SOCKETS.bind(at);
		return await this.#bindInside(at);
	}

	async datagramsTo(host: string): Promise<Datagrams> {
		if (!this.#inside.check(host)) return await HOST_SOCKETS.datagramsTo(host);
		return await this.#bindInside({ host: '0.0.0.0', port: 0 });
	}

	isPod(address: string): boolean {
		return this.#pods.check(address);
	}

	async #bindInside(at: SocketAddress): Promise<Datagrams> {
		const socket = await this.#open('bind', at);
		assert(socket instanceof Datagrams, 'the agent binds a socket for datagrams');
		return socket;
	}

	async #open(...request: Parameters<NetworkAgent['open']>): ReturnType<NetworkAgent['open']> {
		const agent = await this.#started();
		return await agent.open(...request);
	}

	/** The agent; started again if it has ended. */
	async #started(): Promise<NetworkAgent> {
		const node = this.held;
		if (this.#isClosed || node === undefined) throw new Error('the network of the node is not open');
		this.#agent ??= NetworkAgent.start({
			shim: this.#options.shim,
			node,
			onEnd: () => {
				this.#agent = undefined;
			},
		});
		return await this.#agent;
	}
}

function addRange(list: BlockList, range: string): void {
	const [network = '', length] = range.split('/');
	list.addSubnet(network, Number(length));
}
