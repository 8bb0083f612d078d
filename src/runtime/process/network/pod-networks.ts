/**
 * The launcher's part of the networks of Pods: a bridge, made when the server starts or the first Pod needs it, and a network
 * namespace for each Pod (native/shim/network.c makes both). The addresses of Services are this machine's while the bridge exists.
 *
 * 1. A namespace is held by an open descriptor of the launcher and by the processes of its Pod, by nothing else: no file and
 *    no process is left behind. A launcher that starts finds it by a running container. If none runs, none can tell that
 *    it is made again, with the same address.
 * 2. Addresses are given out in turn, so that one is not used again soon after its Pod has ended.
 * 3. The bridge and the rules of the packet filter are removed when the launcher exits. Those of a launcher that was killed
 *    are removed by the next launcher of any data folder that makes a bridge, once no container uses them.
 * 4. Machines may have several launchers: each has a bridge and addresses of its own.
 */
import { closeSync, fstatSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { attempt } from '../../../base/attempt.ts';
import { codeOf } from '../../../base/files/system-error.ts';
import { messageOf } from '../../../base/message-of.ts';
import { isRunning, type ProcessIdentity } from '../launcher/process-table.ts';
import type { Shim } from '../shim/shim.ts';
import { StartFailure } from '../shim/shim-failure.ts';
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
import { machineRoutes } from './machine-routes.ts';
import type { PodNetwork } from './pod-network.ts';
import {
	freeRanges,
	gatewayOf,
	type PodRange,
	parseNetwork,
	parseRange,
	podAddress,
	podCountOf,
	podIndex,
	rangeText,
} from './pod-range.ts';

/** A network that was made, and why its Pods cannot reach other machines; absent: they can. */
export interface MadeNetwork {
	readonly ip: string;
	readonly network: PodNetwork;
	readonly confined?: string;
}

/** The addresses of Pods and Services, such as `10.96.0.0/16`. */
export interface OpenedNetwork {
	readonly podRange: string;
	readonly serviceRange: string;
}

/** The components of {@link PodNetworks}. */
export interface PodNetworksOptions {
	readonly shim: Pick<Shim, 'changeNetwork'>;
	/** See Origin.key. */
	readonly key: string;
	/** The networks of the sandboxes that an earlier launcher has left, by sandbox. */
	readonly left: ReadonlyMap<string, PodNetwork>;
	onError(error: unknown): void;
}

interface Pod {
	readonly network: PodNetwork;
	/** A descriptor of its namespace, once it is made or found. */
	held?: Promise<number>;
}

interface Ready {
	readonly bridge: Bridge;
	readonly range: PodRange;
	readonly confined: string | undefined;
	/** Why the addresses of Services are not this machine's. */
	readonly unserved: Error | undefined;
}

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const OWN_NAMESPACE = '/proc/self/ns/net';
/** How many bridges a machine may have: each is of another data folder. */
const MOST_BRIDGES = 64;

/** See the header of this file. */
export class PodNetworks {
	readonly #options: PodNetworksOptions;
	readonly #pods = new Map<string, Pod>();
	readonly #taken = new Set<string>();
	#ready: Promise<Ready> | undefined;
	#made: Bridge | undefined;
	#presence: Server | undefined;
	/** The number of the address that was given out last. */
	#last = -1;
	/** The addresses of Services; undefined: they are not this machine's by the bridge. */
	#services: string | undefined;

	constructor(options: PodNetworksOptions) {
		this.#options = options;
		for (const [id, network] of options.left) {
			this.#pods.set(id, { network });
			this.#taken.add(network.ip);
			const range = parseRange(network.range);
			this.#last = Math.max(this.#last, (range && podIndex(range, network.ip)) ?? -1);
		}
		if (options.left.size > 0) this.#show();
	}

	/**
	 * Makes the bridge before the first Pod needs it, and the addresses of Services this machine's. Rejects with an Error that a
	 * user can read.
	 */
	async open({ podRange, serviceRange }: OpenedNetwork): Promise<void> {
		if (this.#services !== serviceRange) this.#ready = undefined;
		this.#services = serviceRange;
		const { unserved } = await this.#prepared(podRange);
		if (unserved !== undefined) throw unserved;
	}

	/** Makes the network of a sandbox, with an address of the range `wanted` if that is free. Rejects with an Error. */
	async add(id: string, wanted: string): Promise<MadeNetwork> {
		const { bridge, range, confined } = await this.#prepared(wanted);
		const ip = this.#nextAddress(range);
		const network = { ip, bridge: bridge.name, range: bridge.range };
		const pod: Pod = { network };
		this.#pods.set(id, pod);
		try {
			await this.#hold(pod, []);
		} catch (error) {
			this.remove(id);
			throw new Error(`the network of the Pod cannot be made: ${messageOf(error)}`, { cause: error });
		}
		return { ip, network, ...(confined !== undefined && { confined }) };
	}

	/**
	 * The path of the network namespace of a sandbox; undefined if it has none of its own. `processes` are those of its
	 * containers that may run. Rejects with an Error if it can neither be found nor made.
	 */
	async pathOf(id: string, processes: readonly ProcessIdentity[]): Promise<string | undefined> {
		const pod = this.#pods.get(id);
		return pod && `/proc/${process.pid}/fd/${await this.#hold(pod, processes)}`;
	}

	/** Gives up the network of a sandbox; the kernel removes it after the last process in it. */
	remove(id: string): void {
		const pod = this.#pods.get(id);
		if (!pod) return;
		this.#pods.delete(id);
		this.#taken.delete(pod.network.ip);
		void pod.held?.then(closeSync, () => {});
	}

	/** Removes the bridge, once there is no sandbox. */
	async close(): Promise<void> {
		if (this.#pods.size > 0) return;
		await this.#ready?.catch(() => {});
		await this.#removeMade();
	}

	/** Called last: removes the bridge with whatever uses it. Undefined if there is none. */
	leave(): Promise<void> | undefined {
		for (const id of [...this.#pods.keys()]) this.remove(id);
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
		const made = this.#own;
		this.#made = undefined;
		this.#ready = undefined;
		this.#presence?.close();
		this.#presence = undefined;
		if (made) await this.#removeBridge(made);
	}

	async #hold(pod: Pod, processes: readonly ProcessIdentity[]): Promise<number> {
		pod.held ??= this.#open(pod, processes);
		try {
			return await pod.held;
		} catch (error) {
			delete pod.held;
			throw error;
		}
	}

	async #open({ network }: Pod, processes: readonly ProcessIdentity[]): Promise<number> {
		for (const identity of processes) {
			const found = openNamespaceOf(identity);
			if (found !== undefined) return found;
		}
		const ready = await this.#prepared(network.range);
		if (ready.bridge.range !== network.range)
			throw new Error(`another network of this machine has the addresses ${network.range} now`);
		try {
			return await this.#make(network, ready);
		} catch (error) {
			if (!(error instanceof StartFailure)) throw error;
			// Another program has removed the bridge, or the kernel has not yet removed the link of before.
			if (error.code === 'ENODEV') this.#ready = undefined;
			else if (error.code === 'EEXIST')
				await this.#change({ network: 'remove', device: deviceOf(ready.range, network) });
			else throw error;
			return await this.#make(network, await this.#prepared(network.range));
		}
	}

	async #make(network: PodNetwork, { range, bridge }: Ready): Promise<number> {
		const made = await this.#change({
			network: 'pod',
			device: deviceOf(range, network),
			bridge: bridge.name,
			address: `${network.ip}/${range.length}`,
			gateway: gatewayOf(range),
		});
		if (made === undefined) throw new Error('the shim has made no network namespace');
		return made;
	}

	#nextAddress(range: PodRange): string {
		const count = podCountOf(range);
		for (let tried = 0; tried < count; tried++) {
			this.#last = (this.#last + 1) % count;
			const ip = podAddress(range, this.#last);
			if (this.#taken.has(ip)) continue;
			this.#taken.add(ip);
			return ip;
		}
		throw new Error(`no IP addresses available in range set: ${rangeText(range)}`);
	}

	async #prepared(wanted: string): Promise<Ready> {
		this.#ready ??= this.#prepare(wanted);
		try {
			return await this.#ready;
		} catch (error) {
			this.#ready = undefined;
			throw error;
		}
	}

	/** Finds the bridge of this launcher, or makes it. */
	async #prepare(wanted: string): Promise<Ready> {
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
		return { bridge, range, confined: confinement(bridge), unserved };
	}

	/** Makes the addresses of Services this machine's. Pods need the bridge even if that fails. */
	async #withServices(bridge: Bridge): Promise<{ bridge: Bridge; unserved: Error | undefined }> {
		const services = this.#services;
		if (services === undefined) return { bridge, unserved: undefined };
		const { name: device, services: before } = bridge;
		const changed = { ...bridge, services };
		try {
			if (before !== undefined && before !== services)
				await this.#change({ network: 'unlocal', device, address: before });
			await this.#change({ network: 'local', device, address: services, alias: aliasOf(changed) });
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
		const range = parseRange(wanted);
		if (!range) throw new Error(`${wanted} is no range of IPv4 addresses`);
		const services = parseNetwork(this.#services ?? '');
		const routed = [...machineRoutes(), ...(services ? [services] : [])];
		let refusal: unknown = new Error(
			'this machine has routes to all ranges of addresses that Pods could have',
		);
		for (const free of freeRanges(range, routed)) {
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
				await this.#change({ network: 'bridge', device: name, address, alias: aliasOf(about) });
				return { name, ...about };
			} catch (error) {
				if (codeOf(error) !== 'EEXIST') throw error;
			}
		}
		throw new Error(`this machine has ${names.length} bridges of stint already`);
	}

	async #removeBridge(bridge: Bridge): Promise<void> {
		removeFilter(filtered(bridge));
		await this.#change({ network: 'remove', device: bridge.name });
		const isLast = !findBridges().some(({ name }) => name !== bridge.name);
		if (bridge.forwards && isLast) attempt(() => writeFileSync(FORWARDING, '0'));
	}

	async #change(request: Parameters<Shim['changeNetwork']>[0]): Promise<number | undefined> {
		return await this.#options.shim.changeNetwork(request);
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

/** The name of the host's end of a Pod's link. */
function deviceOf(range: PodRange, { bridge, ip }: PodNetwork): string {
	return `${bridge}v${(podIndex(range, ip) ?? 0).toString(16)}`;
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

/** A descriptor of the network namespace of a process, if it runs and has one of its own. */
function openNamespaceOf(identity: ProcessIdentity): number | undefined {
	const fd = attempt(() => openSync(`/proc/${identity.pid}/ns/net`, 'r'));
	if (fd === undefined) return undefined;
	// Looked at after the open: the process that had the namespace still was the one that is meant.
	if (isRunning(identity) && fstatSync(fd).ino !== statSync(OWN_NAMESPACE).ino) return fd;
	closeSync(fd);
	return undefined;
}
