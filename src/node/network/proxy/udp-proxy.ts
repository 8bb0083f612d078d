import type { Socket } from 'node:dgram';
import type { Clock, Timer } from '../../../base/clock.ts';
import type { ProxiedPort, ServiceTarget } from '../../../plan/service-proxy/proxied-port.ts';
import type { PodSockets } from '../../../runtime/pod-sockets.ts';
import { TargetChoice, type TargetChoiceOptions } from './target-choice.ts';

/** How long a flow without datagrams is kept: the timeout of Linux for a UDP stream that had answers. */
const IDLE_MS = 120_000;
/** How many clients of a port are served at once; the one that was silent for longest is dropped. */
const MOST_FLOWS = 4096;

/** The datagrams of one client, to one target. */
interface Flow {
	readonly target: ServiceTarget;
	/** Resolves to undefined if the system has no socket to give. */
	readonly socket: Promise<Socket | undefined>;
	usedAtMs: number;
	timer: Timer | undefined;
}

/** What a {@link UdpProxy} needs. */
export interface UdpProxyOptions extends TargetChoiceOptions {
	readonly clock: Clock;
	readonly sockets: Pick<PodSockets, 'bind' | 'datagramsTo'>;
	/** Whether a client with this address is served. */
	serves(address: string): boolean;
}

/** Forwards the datagrams of one UDP port. Those of a client go to one target until it is silent. */
export class UdpProxy {
	readonly #options: UdpProxyOptions;
	readonly #choice: TargetChoice;
	readonly #clock: Clock;
	#server: Socket | undefined;
	#isClosed = false;
	/** By the client's address and port, the least recently used first. */
	readonly #flows = new Map<string, Flow>();
	#port: ProxiedPort;

	constructor(port: ProxiedPort, options: UdpProxyOptions) {
		this.#port = port;
		this.#options = options;
		this.#clock = options.clock;
		this.#choice = new TargetChoice(options);
	}

	/** Listens. Rejects with the system's error. */
	async open(): Promise<void> {
		const { address: host, port } = this.#port;
		const server = await this.#options.sockets.bind({ host, port });
		// Such as the refusal of an answer by a client that has ended.
		server.on('error', () => {});
		server.on('message', (message, { address, port: from }) => this.#take(message, address, from));
		this.#server = server;
	}

	/** Changes the targets, and ends all flows: datagrams have no end that would tell when to choose another target. */
	update(port: ProxiedPort): void {
		this.#port = port;
		for (const key of this.#flows.keys()) this.#end(key);
	}

	/** Stops listening, and ends all flows. */
	close(): void {
		this.#isClosed = true;
		this.#server?.close();
		for (const key of this.#flows.keys()) this.#end(key);
	}

	#take(message: Buffer, address: string, from: number): void {
		const key = `${address}:${from}`;
		const flow = this.#flows.get(key) ?? this.#open(key, address, from);
		if (!flow) return;
		this.#renew(key, flow);
		const { address: host, port } = flow.target;
		void flow.socket.then((socket) => {
			if (socket && this.#flows.get(key) === flow) socket.send(message, port, host);
		});
	}

	#open(key: string, address: string, from: number): Flow | undefined {
		if (!this.#options.serves(address)) return undefined;
		const [target] = this.#choice.orderFor(address, this.#port);
		if (!target) return undefined;
		this.#choice.note(address, target, this.#port);
		const opened = this.#options.sockets.datagramsTo(target.address).catch(() => undefined);
		const flow: Flow = { target, socket: opened, usedAtMs: 0, timer: undefined };
		void opened.then((socket) => {
			if (!socket) return this.#end(key);
			socket.on('message', (answer, sender) => {
				// Every program can send to the socket's port; only the target's answers are the client's.
				if (sender.address !== target.address || sender.port !== target.port || this.#isClosed) return;
				this.#renew(key, flow);
				this.#server?.send(answer, from, address);
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
