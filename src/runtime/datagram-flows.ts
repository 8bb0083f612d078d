import type { Socket } from 'node:dgram';
import type { Clock, Timer } from '../base/clock.ts';
import type { PodSockets, SocketAddress } from './pod-sockets.ts';

/** How long a flow without datagrams is kept: the timeout of Linux for a UDP stream that had answers. */
const IDLE_MS = 120_000;
/** How many clients of a port are served at once; the one that was silent for longest is dropped. */
const MOST_FLOWS = 4096;

/** The datagrams of one client, to one target. */
interface Flow {
	readonly target: SocketAddress;
	/** Resolves to undefined if the system has no socket to give. */
	readonly socket: Promise<Socket | undefined>;
	usedAtMs: number;
	timer: Timer | undefined;
}

/** What {@link DatagramFlows} need. */
export interface DatagramFlowsOptions {
	readonly clock: Clock;
	readonly sockets: Pick<PodSockets, 'bind' | 'datagramsTo'>;
	/** Where the datagrams of a new client go; undefined: they are dropped. */
	targetFor(client: string): SocketAddress | undefined;
}

/** Forwards the datagrams of one UDP port. Those of a client go to one target until it is silent. */
export class DatagramFlows {
	readonly #options: DatagramFlowsOptions;
	readonly #clock: Clock;
	#server: Socket | undefined;
	#isClosed = false;
	/** By the client's address and port, the least recently used first. */
	readonly #flows = new Map<string, Flow>();

	constructor(options: DatagramFlowsOptions) {
		this.#options = options;
		this.#clock = options.clock;
	}

	/** Listens. Rejects with the system's error. */
	async open(at: SocketAddress): Promise<void> {
		const server = await this.#options.sockets.bind(at);
		// Such as the refusal of an answer by a client that has ended.
		server.on('error', () => {});
		if (this.#isClosed) return void server.close();
		server.on('message', (message, { address, port }) => this.#take(message, { host: address, port }));
		this.#server = server;
	}

	/** Ends all flows: the next datagrams of their clients may go to other targets. */
	endAll(): void {
		for (const key of this.#flows.keys()) this.#end(key);
	}

	/** Stops listening, and ends all flows. May be repeated. */
	close(): void {
		this.#isClosed = true;
		this.#server?.close();
		this.#server = undefined;
		this.endAll();
	}

	#take(message: Buffer, client: SocketAddress): void {
		const key = `${client.host}:${client.port}`;
		const flow = this.#flows.get(key) ?? this.#open(key, client);
		if (!flow) return;
		this.#renew(key, flow);
		const { host, port } = flow.target;
		void flow.socket.then((socket) => {
			if (socket && this.#flows.get(key) === flow) socket.send(message, port, host);
		});
	}

	#open(key: string, client: SocketAddress): Flow | undefined {
		const target = this.#options.targetFor(client.host);
		if (!target) return undefined;
		const opened = this.#options.sockets.datagramsTo(target.host).catch(() => undefined);
		const flow: Flow = { target, socket: opened, usedAtMs: 0, timer: undefined };
		void opened.then((socket) => {
			if (!socket) return this.#end(key);
			socket.on('message', (answer, sender) => {
				// Every program can send to the socket's port; only the target's answers are the client's.
				if (sender.address !== target.host || sender.port !== target.port || this.#isClosed) return;
				this.#renew(key, flow);
				this.#server?.send(answer, client.port, client.host);
			});
			socket.on('error', () => this.#end(key));
		});
		flow.timer = this.#expiry(key, flow, IDLE_MS);
		return flow;
	}

	#renew(key: string, flow: Flow): void {
		flow.usedAtMs = this.#clock.monotonic();
		this.#flows.delete(key);
		this.#flows.set(key, flow);
		const [oldest] = this.#flows.keys();
		if (this.#flows.size > MOST_FLOWS && oldest !== undefined) this.#end(oldest);
	}

	/** One timer for a flow, and not for each datagram. */
	#expiry(key: string, flow: Flow, delayMs: number): Timer {
		return this.#clock.setTimer(delayMs, () => {
			const restMs = flow.usedAtMs + IDLE_MS - this.#clock.monotonic();
			if (restMs <= 0) this.#end(key);
			else flow.timer = this.#expiry(key, flow, restMs);
		});
	}

	#end(key: string): void {
		const flow = this.#flows.get(key);
		this.#flows.delete(key);
		flow?.timer?.cancel();
		void flow?.socket.then((socket) => socket?.close());
	}
}
