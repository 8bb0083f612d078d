/**
 * The launcher's part of the networks of Pods: a network namespace for each Pod, attached to a bridge (native/shim/network.c
 * makes both). Whose network the bridge is in is the part of its two kinds, host-bridge.ts and node-bridge.ts.
 *
 * 1. A namespace is held by an open descriptor of the launcher and by the processes of its Pod, by nothing else: no file and
 *    no process is left behind. A launcher that starts finds it by a running container. If none runs, none can tell that
 *    it is made again, with the same address.
 * 2. Addresses are given out in turn, so that one is not used again soon after its Pod has ended.
 */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';
import { messageOf } from '../../../base/message-of.ts';
import { isRunning, type ProcessIdentity } from '../launcher/process-table.ts';
import { StartFailure } from '../shim/shim-failure.ts';
import type { NodeNetwork, OpenedNetwork, PodBridge, ReadyBridge } from './pod-bridge.ts';
import type { PodNetwork } from './pod-network.ts';
import {
	gatewayOf,
	type PodRange,
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

/** The paths of the network namespace of a Pod, and of the one with its bridge unless that is the launcher's. */
export interface NetworkPaths {
	readonly netns: string;
	readonly node?: string;
}

/** The components of {@link PodNetworks}. */
export interface PodNetworksOptions {
	readonly bridge: PodBridge;
	/** The networks of the sandboxes that an earlier launcher has left, by sandbox. */
	readonly left: ReadonlyMap<string, PodNetwork>;
}

interface Pod {
	readonly network: PodNetwork;
	/** A descriptor of its namespace, once it is made or found. */
	held?: Promise<number>;
}

const OWN_NAMESPACE = '/proc/self/ns/net';

/** See the header of this file. */
export class PodNetworks {
	readonly #bridge: PodBridge;
	readonly #pods = new Map<string, Pod>();
	readonly #taken = new Set<string>();
	/** The number of the address that was given out last. */
	#last = -1;

	constructor({ bridge, left }: PodNetworksOptions) {
		this.#bridge = bridge;
		for (const [id, network] of left) {
			this.#pods.set(id, { network });
			this.#taken.add(network.ip);
			const range = parseRange(network.range);
			this.#last = Math.max(this.#last, (range && podIndex(range, network.ip)) ?? -1);
		}
	}

	/**
	 * Makes the bridge before the first Pod needs it, and lets the addresses of Services lead to the server; resolves to the
	 * network in which they do, unless it is that of this process. Rejects with an Error that a user can read.
	 */
	async open(network: OpenedNetwork): Promise<NodeNetwork | undefined> {
		this.#bridge.open(network);
		const { unserved } = await this.#bridge.prepared(network.podRange);
		if (unserved !== undefined) throw unserved;
		return await this.#bridge.nodeFor(network.podRange);
	}

	/** Makes the network of a sandbox, with an address of the range `wanted` if that is free. Rejects with an Error. */
	async add(id: string, wanted: string): Promise<MadeNetwork> {
		const { name, range, confined } = await this.#bridge.prepared(wanted);
		const ip = this.#nextAddress(range);
		const network = { ip, bridge: name, range: rangeText(range) };
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
	 * The network namespace of a sandbox; undefined if it has none of its own. `processes` are those of its containers that
	 * may run. Rejects with an Error if it can neither be found nor made.
	 */
	async pathsOf(id: string, processes: readonly ProcessIdentity[]): Promise<NetworkPaths | undefined> {
		const pod = this.#pods.get(id);
		if (!pod) return undefined;
		const netns = `/proc/${process.pid}/fd/${await this.#hold(pod, processes)}`;
		const node = await this.#bridge.nodeFor(pod.network.range);
		return { netns, ...(node && { node: node.path }) };
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
		if (this.#pods.size === 0) await this.#bridge.remove();
	}

	/** Called last: removes the bridge with whatever uses it. Undefined if there is none. */
	leave(): Promise<void> | undefined {
		for (const id of [...this.#pods.keys()]) this.remove(id);
		return this.#bridge.remove();
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
		const ready = await this.#bridge.prepared(network.range);
		if (rangeText(ready.range) !== network.range)
			throw new Error(`another network of this machine has the addresses ${network.range} now`);
		try {
			return await this.#make(network, ready);
		} catch (error) {
			if (!(error instanceof StartFailure)) throw error;
			// Another program has removed the bridge, or the kernel has not yet removed the link of before.
			if (error.code === 'ENODEV') this.#bridge.renew();
			else if (error.code === 'EEXIST')
				await this.#bridge.change({ network: 'remove', device: deviceOf(ready.range, network) });
			else throw error;
			return await this.#make(network, await this.#bridge.prepared(network.range));
		}
	}

	async #make(network: PodNetwork, { range, name }: ReadyBridge): Promise<number> {
		const made = await this.#bridge.change({
			network: 'pod',
			device: deviceOf(range, network),
			bridge: name,
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
}

/** The name of the host's end of a Pod's link. */
function deviceOf(range: PodRange, { bridge, ip }: PodNetwork): string {
	return `${bridge}v${(podIndex(range, ip) ?? 0).toString(16)}`;
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
