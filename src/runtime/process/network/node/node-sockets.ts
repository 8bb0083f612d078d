/**
 * The sockets of a server whose Pods are in the network of the node: those with addresses of Pods and Services are opened in there
 * by the agent, all others in the network of this process. All are handled by this process, however they were opened.
 */
import { Socket as Datagrams } from 'node:dgram';
import { closeSync, openSync } from 'node:fs';
import { BlockList, Server, Socket } from 'node:net';
import { aborted } from '../../../../base/aborted.ts';
import { assert } from '../../../../base/assert.ts';
import type { Clock } from '../../../../base/clock.ts';
import { messageOf } from '../../../../base/message-of.ts';
import { HOST_SOCKETS, type PodSockets, type SocketAddress } from '../../../pod-sockets.ts';
import type { NodeNetwork } from '../pod-bridge.ts';
import { addRange } from './address-ranges.ts';
import { Egress } from './egress.ts';
import { NetworkAgent } from './network-agent.ts';

/** The components and settings of {@link NodeSockets}. */
export interface NodeSocketsOptions {
	/** The shim's executable file. */
	readonly shim: string;
	/** The addresses of Services, which are those of the network of the node; absent: none are. */
	readonly serviceRange: string | undefined;
	readonly clock: Clock;
	/** Receives the errors of an agent that is started again. */
	onError(error: unknown): void;
}

/** How long an agent that has ended stays so. */
const RESTART_MS = 500;

/** See the header of this file. */
export class NodeSockets implements PodSockets {
	readonly #options: NodeSocketsOptions;
	readonly #pods = new BlockList();
	readonly #inside = new BlockList();
	/** A descriptor of the namespace, by which it outlives a launcher without Pods. */
	#held: number | undefined;
	#agent: Promise<NetworkAgent> | undefined;
	#egress: Egress | undefined;
	#confined: string | undefined;
	/** The addresses of Pods and Services. */
	#ranges: readonly string[] = [];
	#isClosed = false;

	constructor(options: NodeSocketsOptions) {
		this.#options = options;
		if (options.serviceRange !== undefined) addRange(this.#inside, options.serviceRange);
	}

	/** The path of the namespace, for a launcher that has none; undefined before {@link use}. */
	get held(): string | undefined {
		return this.#held === undefined ? undefined : `/proc/${process.pid}/fd/${this.#held}`;
	}

	/** The addresses of its Pods; undefined before {@link use}. */
	get podRange(): string | undefined {
		return this.#ranges[0];
	}

	/** Why Pods reach no other machine; undefined: they do. */
	get confined(): string | undefined {
		return this.#confined;
	}

	/** Uses the namespace from now on; does nothing if it has one. Rejects with an Error if the agent cannot be started. */
	async use({ path, podRange }: NodeNetwork): Promise<void> {
		if (this.#held === undefined) {
			this.#held = openSync(path, 'r');
			addRange(this.#pods, podRange);
			addRange(this.#inside, podRange);
			const { clock, serviceRange } = this.#options;
			const inside = [podRange, ...(serviceRange === undefined ? [] : [serviceRange])];
			this.#egress = new Egress({ clock, inside });
			this.#ranges = inside;
		}
		await this.#started();
	}

	/** Ends the agent, and accepts no more connections of Pods to other machines. Other sockets stay open. */
	stop(): void {
		this.#isClosed = true;
		this.#egress?.close();
		void this.#agent?.then((agent) => agent.stop()).catch(() => {});
		if (this.#held !== undefined) closeSync(this.#held);
		this.#held = undefined;
	}

	async connect(to: SocketAddress, signal?: AbortSignal): Promise<Socket> {
		if (!this.#inside.check(to.host)) return await HOST_SOCKETS.connect(to, signal);
		const opening = this.#connectInside(to);
		const socket = await (signal ? unlessAborted(signal, opening) : opening);
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

	async #connectInside(to: SocketAddress): Promise<Socket> {
		const socket = await this.#open('connect', to);
		assert(socket instanceof Socket, 'the agent connects a socket');
		return socket;
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
		const agent = this.#agent ?? this.#start(node);
		this.#agent = agent;
		// One that could not be started is tried again with the next request.
		agent.catch(() => {
			if (this.#agent === agent) this.#agent = undefined;
		});
		return await agent;
	}

	async #start(node: string): Promise<NetworkAgent> {
		const { shim, clock, onError } = this.#options;
		const onEnd = (): void => {
			this.#agent = undefined;
			// Pods need it for connections to other machines, whether this process asks it for anything or not.
			clock.setTimer(RESTART_MS, () => {
				if (!this.#isClosed) this.#started().catch(onError);
			});
		};
		const agent = await NetworkAgent.start({ shim, node, inside: this.#ranges, onEnd });
		const { withoutDatagrams } = agent;
		if (withoutDatagrams !== undefined)
			onError(new Error(`Pods reach other machines by TCP only: ${withoutDatagrams}`));
		try {
			const socket = await agent.open('egress');
			assert(socket instanceof Server, 'the agent listens for egress');
			this.#egress?.serve(socket);
			this.#confined = undefined;
		} catch (error) {
			this.#confined = messageOf(error);
		}
		return agent;
	}
}

/** Resolves to the socket; rejects once `signal` aborts, and destroys a socket that is connected only then. */
function unlessAborted(signal: AbortSignal, opening: Promise<Socket>): Promise<Socket> {
	return new Promise((resolve, reject) => {
		void aborted(signal).then(() => reject(signal.reason));
		opening.then((socket) => {
			if (signal.aborted) socket.destroy();
			else resolve(socket);
		}, reject);
	});
}
