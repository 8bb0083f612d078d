/**
 * The bridge of a launcher that runs as root, in the network of the machine. The addresses of Services are this machine's while
 * it exists, and rules of the packet filter let Pods reach other machines.
 *
 * 1. The bridge and the rules are removed when the launcher exits. Those of a launcher that was killed are removed by the next
 *    launcher of any data folder that makes a bridge, once no container uses them.
 * 2. Machines may have several launchers: each has a bridge and addresses of its own.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { attempt } from '../../../base/attempt.ts';
import { codeOf } from '../../../base/files/system-error.ts';
import { messageOf } from '../../../base/message-of.ts';
import type { Shim } from '../shim/shim.ts';
import { StartFailure } from '../shim/shim-failure.ts';
import type { NetworkRequest } from '../shim/shim-request.ts';
import {
	aliasOf,
	BRIDGE_PREFIX,
	type Bridge,
	findBridges,
	hasPorts,
	isUsed,
	linkNames,
	presenceName,
} from './bridges.ts';
import { applyFilter, type FilteredNetwork, removeFilter } from './firewall.ts';
import type { ReadyBridge } from './pod-bridge.ts';
import type { PodNetwork } from './pod-network.ts';
import { gatewayOf, type PodRange, parseRange, rangeText } from './pod-range.ts';
import { NO_FREE_RANGE, PreparedBridge } from './prepared-bridge.ts';

/** The components of a {@link HostBridge}. */
export interface HostBridgeOptions {
	readonly shim: Pick<Shim, 'changeNetwork'>;
	/** See Origin.key. */
	readonly key: string;
	/** The networks of the sandboxes that an earlier launcher has left, by sandbox. */
	readonly left: ReadonlyMap<string, PodNetwork>;
	onError(error: unknown): void;
}

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
/** How many bridges a machine may have: each is of another data folder. */
const MOST_BRIDGES = 64;

/** See the header of this file. */
export class HostBridge extends PreparedBridge {
	readonly #options: HostBridgeOptions;
	#made: Bridge | undefined;
	#presence: Server | undefined;

	constructor(options: HostBridgeOptions) {
		super();
		this.#options = options;
		if (options.left.size > 0) this.#show();
	}

	override async nodeFor(): Promise<undefined> {
		return undefined;
	}

	override async change(request: NetworkRequest): Promise<number | undefined> {
		return await this.#options.shim.changeNetwork(request);
	}

	override remove(): Promise<void> | undefined {
		return this.#own ? this.#removeMade() : undefined;
	}

	/** The bridge of this launcher, or of an earlier one of the same folder: its Pods need no new one. */
	get #own(): Bridge | undefined {
		return this.#made ?? this.#ownOf(findBridges());
	}

	#ownOf(bridges: readonly Bridge[]): Bridge | undefined {
		const { key, left } = this.#options;
		const [network] = left.values();
		const own = bridges.find((bridge) => bridge.key === key);
		if (!network || own?.range === network.range) return own;
		// Where aliases cannot be read, the name tells, unless it is that of a bridge of another launcher.
		const isThere = linkNames().includes(network.bridge);
		if (!isThere || bridges.some(({ name }) => name === network.bridge)) return undefined;
		return { name: network.bridge, range: network.range, key, forwards: false };
	}

	async #removeMade(): Promise<void> {
		await this.unprepared();
		const made = this.#own;
		this.#made = undefined;
		this.#presence?.close();
		this.#presence = undefined;
		if (made) await this.#removeBridge(made);
	}

	/** Finds the bridge of this launcher, or makes it. */
	protected override async prepare(wanted: string): Promise<ReadyBridge> {
		this.#show();
		const bridges = findBridges();
		const { key } = this.#options;
		const [left] = this.#options.left.values();
		const own = this.#ownOf(bridges);
		for (const bridge of bridges)
			if (bridge.name !== own?.name && (bridge.key === key ? !hasPorts(bridge.name) : !isUsed(bridge)))
				await this.#removeBridge(bridge);
		const made = own ?? (await this.#makeBridge(wanted, left));
		this.#made = made;
		const { bridge, unserved } = await this.#withServices(made);
		this.#made = bridge;
		const range = parseRange(bridge.range);
		if (!range) throw new Error(`the bridge ${bridge.name} has the invalid range ${bridge.range}`);
		return { name: bridge.name, range, confined: confinement(bridge), unserved };
	}

	/** Makes the addresses of Services this machine's. Pods need the bridge even if that fails. */
	async #withServices(bridge: Bridge): Promise<{ bridge: Bridge; unserved: Error | undefined }> {
		const { services } = this;
		if (services === undefined) return { bridge, unserved: undefined };
		const { name: device, services: before } = bridge;
		const changed = { ...bridge, services };
		try {
			if (before !== undefined && before !== services)
				await this.change({ network: 'unlocal', device, address: before });
			await this.change({ network: 'local', device, address: services, alias: aliasOf(changed) });
			return { bridge: changed, unserved: undefined };
		} catch (error) {
			const why = codeOf(error) === 'EEXIST' ? 'another program of this machine uses them' : messageOf(error);
			const unserved = new Error(`the addresses ${services} cannot be those of Services: ${why}`, {
				cause: error,
			});
			return { bridge, unserved };
		}
	}

	async #makeBridge(wanted: string, left: PodNetwork | undefined): Promise<Bridge> {
		let refusal: unknown = new Error(NO_FREE_RANGE);
		for (const free of this.freeRanges(wanted)) {
			try {
				return await this.#makeWith(free, left);
			} catch (error) {
				refusal = error;
				if (!(error instanceof StartFailure) || error.code !== 'EADDRINUSE') break;
			}
		}
		throw refusal;
	}

	/** Makes a bridge with the first name that is free. */
	async #makeWith(range: PodRange, left: PodNetwork | undefined): Promise<Bridge> {
		const names = Array.from({ length: MOST_BRIDGES }, (_, index) => `${BRIDGE_PREFIX}${index}`);
		const used = new Set(linkNames());
		const free = [...(left ? [left.bridge] : []), ...names].filter((name) => !used.has(name));
		// Each of several servers remembers that the machine forwarded nothing: the last one restores that.
		const isOff = attempt(() => readFileSync(FORWARDING, 'latin1').trim()) === '0';
		const forwards = isOff || findBridges().some((bridge) => bridge.forwards);
		const about = { range: rangeText(range), key: this.#options.key, forwards };
		for (const name of free) {
			try {
				const address = `${gatewayOf(range)}/${range.length}`;
				await this.change({ network: 'bridge', device: name, address, alias: aliasOf(about) });
				return { name, ...about };
			} catch (error) {
				if (codeOf(error) !== 'EEXIST') throw error;
			}
		}
		throw new Error(`this machine has ${names.length} bridges of stint already`);
	}

	async #removeBridge(bridge: Bridge): Promise<void> {
		removeFilter(filtered(bridge));
		await this.change({ network: 'remove', device: bridge.name });
		const isLast = !findBridges().some(({ name }) => name !== bridge.name);
		if (bridge.forwards && isLast) attempt(() => writeFileSync(FORWARDING, '0'));
	}

	/** Shows other launchers that this one runs. Its bridge may have no ports, and must not be removed. */
	#show(): void {
		if (this.#presence) return;
		const presence = createServer((socket) => socket.destroy());
		presence.on('error', this.#options.onError);
		presence.listen(presenceName(this.#options.key));
		presence.unref();
		this.#presence = presence;
	}
}

function filtered({ name, range, services, forwards }: Bridge): FilteredNetwork {
	return { bridge: name, range, ...(services !== undefined && { services }), onlyPods: forwards };
}

/** Lets Pods reach other machines; returns why they cannot, or undefined. Then no packet may be forwarded to them either. */
function confinement(bridge: Bridge): string | undefined {
	try {
		applyFilter(filtered(bridge));
		if (bridge.forwards) writeFileSync(FORWARDING, '1');
		return undefined;
	} catch (error) {
		// Where the machine forwards packets anyway, it takes none from Pods: no connection from another machine is answered.
		attempt(() => writeFileSync(`/proc/sys/net/ipv4/conf/${bridge.name}/forwarding`, '0'));
		return messageOf(error);
	}
}
