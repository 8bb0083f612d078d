import { createSocket, type Socket } from 'node:dgram';
import type { Clock, Timer } from '../../../base/clock.ts';
import type { ProxiedPort, ServiceTarget } from '../../../plan/service-proxy/proxied-port.ts';
import { TargetChoice, type TargetChoiceOptions } from './target-choice.ts';

/** How long a flow without datagrams is kept: the timeout of Linux for a UDP stream that had answers. */
const IDLE_MS = 120_000;
/** How many clients of a port are served at once; the one that was silent for longest is dropped. */
const MOST_FLOWS = 4096;

/** The datagrams of one client, to one target. */
interface Flow {
	readonly target: ServiceTarget;
	readonly socket: Socket;
	usedAtMs: number;
	timer: Timer | undefined;
}

/** What a {@link UdpProxy} needs. */
export interface UdpProxyOptions extends TargetChoiceOptions {
	readonly clock: Clock;
	/** Whether a client with this address is served. */
	serves(address: string): boolean;
}

/** Forwards the datagrams of one UDP port. Those of a client go to one target until it is silent. */
export class UdpProxy {
	readonly #options: UdpProxyOptions;
	readonly #choice: TargetChoice;
	readonly #clock: Clock;
	readonly #server = createSocket('udp4');
	/** By the client's address and port, the least recently used first. */
	readonly #flows = new Map<string, Flow>();
	#port: ProxiedPort;

	constructor(port: ProxiedPort, options: UdpProxyOptions) {
		this.#port = port;
		this.#options = options;
		this.#clock = options.clock;
		this.#choice = new TargetChoice(options);
		this.#server.on('message', (message, { address, port: from }) => this.#take(message, address, from));
	}

	/** Listens. Rejects with the system's error. */
	async open(): Promise<void> {
		const { address, port } = this.#port;
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		this.#server.once('error', reject);
		this.#server.bind({ address, port }, resolve);
		await promise;
		this.#server.off('error', reject);
		// Such as the refusal of an answer by a client that has ended.
		this.#server.on('error', () => {});
	}

	/** Changes the targets, and ends all flows: datagrams have no end that would tell when to choose another target. */
	update(port: ProxiedPort): void {
		this.#port = port;
		for (const key of this.#flows.keys()) this.#end(key);
	}

	/** Stops listening, and ends all flows. */
	close(): void {
		this.#server.close();
		for (const key of this.#flows.keys()) this.#end(key);
	}

	#take(message: Buffer, address: string, from: number): void {
		const key = `${address}:${from}`;
		const flow = this.#flows.get(key) ?? this.#open(key, address, from);
		if (!flow) return;
		this.#renew(key, flow);
		flow.socket.send(message, flow.target.port, flow.target.address);
	}

	#open(key: string, address: string, from: number): Flow | undefined {
		if (!this.#options.serves(address)) return undefined;
		const [target] = this.#choice.orderFor(address, this.#port);
		if (!target) return undefined;
		this.#choice.note(address, target, this.#port);
		const socket = createSocket('udp4');
		const flow: Flow = { target, socket, usedAtMs: 0, timer: undefined };
		socket.on('message', (answer, sender) => {
			// Every program can send to the socket's port; only the target's answers are the client's.
			if (sender.address !== target.address || sender.port !== target.port) return;
			this.#renew(key, flow);
			this.#server.send(answer, from, address);
		});
		socket.on('error', () => this.#end(key));
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
		flow?.socket.close();
	}
}
