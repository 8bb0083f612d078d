import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import { type ProxiedPort, proxiedPortKey } from '../../../plan/service-proxy/proxied-port.ts';
import type { PodSockets } from '../../../runtime/pod-sockets.ts';
import { type ConnectionCount, TcpProxy } from './tcp-proxy.ts';
import { UdpProxy } from './udp-proxy.ts';

/** The parts and settings of {@link ServiceProxies}. */
export interface ServiceProxiesOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly sockets: PodSockets;
	/** How many TCP connections may be open at once; further ones are reset. */
	readonly mostConnections: number;
	/** Whether a client with this address is served. */
	serves(address: string): boolean;
	/** Receives each port that cannot be listened on, once until it can or is gone. */
	onRefused(port: ProxiedPort, error: Error): void;
}

/** How often a port that is taken is tried again. */
const RETRY_MS = 5000;

type Proxy = TcpProxy | UdpProxy;

/** The listeners of a node for the ports of Services, each with the targets that were set last. */
export class ServiceProxies {
	readonly #options: ServiceProxiesOptions;
	readonly #connections: ConnectionCount;
	readonly #open = new Map<string, Promise<Proxy | undefined>>();
	/** The keys of the ports that cannot be listened on. */
	readonly #unserved = new Set<string>();
	#wanted: ReadonlyMap<string, ProxiedPort> = new Map();
	/** The ends of the refusals of ports without targets, by key. */
	readonly #refusing = new Map<string, () => void>();
	#isClosed = false;

	constructor(options: ServiceProxiesOptions) {
		this.#options = options;
		this.#connections = { most: options.mostConnections, open: 0 };
	}

	/** Serves exactly these ports. Resolves once each listens, or is refused. */
	async set(ports: readonly ProxiedPort[]): Promise<void> {
		if (this.#isClosed) return;
		const before = this.#wanted;
		const idle = ports.filter(({ targets, protocol }) => targets.length === 0 && protocol === 'TCP');
		this.#wanted = new Map(
			ports.filter(({ targets }) => targets.length > 0).map((port) => [proxiedPortKey(port), port]),
		);
		this.#refuse(new Map(idle.map((port) => [proxiedPortKey(port), port])));
		for (const key of this.#open.keys()) if (!this.#wanted.has(key)) void this.#close(key, false);
		for (const key of this.#unserved) if (!this.#wanted.has(key)) this.#unserved.delete(key);
		for (const [key, port] of this.#wanted) {
			if (!this.#open.has(key)) this.#open.set(key, this.#tryOpen(key, port));
			else if (!isSame(before.get(key), port)) void this.#open.get(key)?.then((proxy) => proxy?.update(port));
		}
		await Promise.all(this.#open.values());
	}

	/** Ends all listeners and connections. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await Promise.all([...this.#open.keys()].map((key) => this.#close(key, true)));
	}

	/** Refuses connections to exactly these ports, also if a program of the machine listens there. A port that is opened ends that. */
	#refuse(idle: ReadonlyMap<string, ProxiedPort>): void {
		for (const [key, pass] of this.#refusing) {
			if (idle.has(key)) continue;
			this.#refusing.delete(key);
			if (!this.#wanted.has(key)) pass();
		}
		for (const [key, { address: host, port }] of idle) {
			if (this.#refusing.has(key)) continue;
			const pass = this.#options.sockets.refuse?.({ host, port });
			if (pass) this.#refusing.set(key, pass);
		}
	}

	async #close(key: string, ends: boolean): Promise<void> {
		const opening = this.#open.get(key);
		this.#open.delete(key);
		(await opening)?.close({ ends });
	}

	async #tryOpen(key: string, port: ProxiedPort): Promise<Proxy | undefined> {
		const proxy =
			port.protocol === 'TCP'
				? new TcpProxy(port, { ...this.#options, connections: this.#connections })
				: new UdpProxy(port, this.#options);
		try {
			await proxy.open();
			this.#unserved.delete(key);
			return proxy;
		} catch (error) {
			this.#report(key, port, error instanceof Error ? error : new Error(String(error)));
			return undefined;
		}
	}

	#report(key: string, port: ProxiedPort, error: Error): void {
		if (!this.#unserved.has(key)) this.#options.onRefused(port, error);
		this.#unserved.add(key);
		this.#options.clock.setTimer(RETRY_MS, () => {
			const wanted = this.#wanted.get(key);
			if (this.#isClosed || !wanted || !this.#unserved.has(key)) return;
			this.#open.set(key, this.#tryOpen(key, wanted));
		});
	}
}

function isSame(before: ProxiedPort | undefined, port: ProxiedPort): boolean {
	return JSON.stringify(before) === JSON.stringify(port);
}
