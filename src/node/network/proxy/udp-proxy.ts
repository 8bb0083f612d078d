import type { Clock } from '../../../base/clock.ts';
import type { ProxiedPort } from '../../../plan/service-proxy/proxied-port.ts';
import { DatagramFlows } from '../../../runtime/datagram-flows.ts';
import type { PodSockets, SocketAddress } from '../../../runtime/pod-sockets.ts';
import { TargetChoice, type TargetChoiceOptions } from './target-choice.ts';

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
	readonly #flows: DatagramFlows;
	#port: ProxiedPort;

	constructor(port: ProxiedPort, options: UdpProxyOptions) {
		this.#port = port;
		this.#options = options;
		this.#choice = new TargetChoice(options);
		const { clock, sockets } = options;
		this.#flows = new DatagramFlows({ clock, sockets, targetFor: (client) => this.#targetFor(client) });
	}

	/** Listens. Rejects with the system's error. */
	async open(): Promise<void> {
		const { address: host, port } = this.#port;
		await this.#flows.open({ host, port });
	}

	/** Changes the targets, and ends all flows: datagrams have no end that would tell when to choose another target. */
	update(port: ProxiedPort): void {
		this.#port = port;
		this.#flows.endAll();
	}

	/** Stops listening, and ends all flows. */
	close(): void {
		this.#flows.close();
	}

	#targetFor(client: string): SocketAddress | undefined {
		if (!this.#options.serves(client)) return undefined;
		const [target] = this.#choice.orderFor(client, this.#port);
		if (!target) return undefined;
		this.#choice.note(client, target, this.#port);
		return { host: target.address, port: target.port };
	}
}
