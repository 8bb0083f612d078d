import { BlockList } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import type { PodSockets } from '../../runtime/pod-sockets.ts';

/** The settings of {@link LocalClients}. */
export interface LocalClientsOptions {
	readonly clock: Clock;
	/** The range of the addresses of Services, such as `10.96.0.0/16`: a program that connects to one has it itself. */
	readonly serviceRange: string;
	readonly sockets: Pick<PodSockets, 'isPod'>;
	/** The addresses of this machine; default: as the system says. */
	readonly interfaces?: () => NodeJS.Dict<NetworkInterfaceInfo[]>;
}

/** How long the addresses of this machine are taken to be the same. */
const FRESH_MS = 1000;
/** The bridges of stint: what connects by their networks are Pods. */
const BRIDGE = /^stint\d+$/;

/**
 * Which clients the ports of Services serve: this machine and its Pods. The packet filter lets no other machine in; where
 * there is none, only this keeps Services from being open to the networks of this machine.
 */
export class LocalClients {
	readonly #options: LocalClientsOptions;
	#known: BlockList | undefined;
	#knownAtMs = 0;

	constructor(options: LocalClientsOptions) {
		this.#options = options;
	}

	/** Whether the client with this IPv4 address is served. */
	serves(address: string): boolean {
		if (address.startsWith('127.') || this.#options.sockets.isPod(address)) return true;
		const now = this.#options.clock.monotonic();
		if (!this.#known || now - this.#knownAtMs > FRESH_MS) {
			this.#known = this.#listed();
			this.#knownAtMs = now;
		}
		return this.#known.check(address);
	}

	#listed(): BlockList {
		const { serviceRange, interfaces = networkInterfaces } = this.#options;
		const list = new BlockList();
		addRange(list, serviceRange);
		for (const [name, addresses = []] of Object.entries(interfaces()))
			for (const { family, address, cidr } of addresses) {
				if (family !== 'IPv4') continue;
				list.addAddress(address);
				if (BRIDGE.test(name) && cidr !== null) addRange(list, cidr);
			}
		return list;
	}
}

function addRange(list: BlockList, range: string): void {
	const [network = '', length] = range.split('/');
	list.addSubnet(network, Number(length));
}
