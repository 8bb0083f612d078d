/**
 * The bridge of a launcher whose user is not root: in a network namespace of its own, the network of the node (native/shim/node.c).
 * This machine reaches the Pods on it, and they reach others, only by the server, which has a process in there: network-agent.ts.
 *
 * 1. The namespace lives while the launcher, the server or a Pod holds it. Nothing of it is left after the last of them, however
 *    they end.
 * 2. A launcher that starts finds the namespace by a running Pod, or gets it of the server that is connected. If there is neither, the
 *    launcher makes another one, with the same addresses if it knows Pods.
 */
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { attempt } from '../../../../base/attempt.ts';
import { codeOf } from '../../../../base/files/system-error.ts';
import { messageOf } from '../../../../base/message-of.ts';
import { isRunning, type ProcessIdentity } from '../../launcher/process-table.ts';
import type { Shim } from '../../shim/shim.ts';
import type { NetworkRequest } from '../../shim/shim-request.ts';
import type { NodeNetwork, NodeWish, OpenedNetwork, ReadyBridge } from '../pod-bridge.ts';
import type { PodNetwork } from '../pod-network.ts';
import { gatewayOf, type PodRange, parseRange, rangeText } from '../pod-range.ts';
import { NO_FREE_RANGE, PreparedBridge, rangeOf } from '../prepared-bridge.ts';

/** The components of a {@link NodeBridge}. */
export interface NodeBridgeOptions {
	readonly shim: Pick<Shim, 'changeNetwork'>;
	/** The networks of the sandboxes that an earlier launcher has left, by sandbox. */
	readonly left: ReadonlyMap<string, PodNetwork>;
	/** The waiters of running containers. */
	waiters(): readonly ProcessIdentity[];
}

/** The name of the bridge: there is one in each namespace. */
const BRIDGE = 'stint0';

/** See the header of this file. */
export class NodeBridge extends PreparedBridge {
	readonly #options: NodeBridgeOptions;
	#wish: NodeWish | undefined;
	/** A descriptor of the namespace. */
	#held: number | undefined;
	/** The addresses of the Pods that exist. */
	#range: PodRange | undefined;

	constructor(options: NodeBridgeOptions) {
		super();
		this.#options = options;
		const [left] = options.left.values();
		this.#range = left && parseRange(left.range);
	}

	override open(network: OpenedNetwork): void {
		super.open(network);
		this.#wish = network.node;
	}

	override async nodeFor(wanted: string): Promise<NodeNetwork> {
		const { range } = await this.prepared(wanted);
		return { path: this.#path, podRange: rangeText(range) };
	}

	override async change(request: NetworkRequest): Promise<number | undefined> {
		return await this.#options.shim.changeNetwork({ ...request, node: this.#path });
	}

	override remove(): undefined {
		if (this.#held !== undefined) closeSync(this.#held);
		this.#held = undefined;
		this.renew();
		this.#range = undefined;
	}

	get #path(): string {
		return `/proc/${process.pid}/fd/${this.#held}`;
	}

	protected override async prepare(wanted: string): Promise<ReadyBridge> {
		this.#held ??= this.#found() ?? (await this.#make());
		const range = await this.#withBridge(wanted);
		this.#range = range;
		const unserved = await this.#serve();
		return { name: BRIDGE, range, confined: undefined, unserved };
	}

	#found(): number | undefined {
		for (const identity of this.#options.waiters()) {
			const found = nodeNamespaceOf(identity);
			if (found !== undefined) return found;
		}
		const { held } = this.#wish ?? {};
		return held === undefined ? undefined : attempt(() => openSync(held, 'r'));
	}

	async #make(): Promise<number> {
		if (!this.#wish) throw new Error('the server has not said which ids the network of the node has');
		const { uid: uidmap, gid: gidmap } = this.#wish.idMaps;
		const made = await this.#options.shim.changeNetwork({ network: 'node', uidmap, gidmap });
		if (made === undefined) throw new Error('the shim has made no network namespace');
		return made;
	}

	/** Makes the bridge unless it exists; returns its addresses. One of a launcher without Pods is made again: it cannot be read. */
	async #withBridge(wanted: string): Promise<PodRange> {
		const known = this.#range;
		if (!known) await this.change({ network: 'remove', device: BRIDGE });
		const range = known ?? this.#freeRange(wanted);
		try {
			const address = `${gatewayOf(range)}/${range.length}`;
			await this.change({ network: 'bridge', device: BRIDGE, address, alias: BRIDGE });
		} catch (error) {
			const isThere = codeOf(error) === 'EEXIST' || codeOf(error) === 'EADDRINUSE';
			if (!known || !isThere) throw error;
		}
		return range;
	}

	#freeRange(wanted: string): PodRange {
		// Those that the server knows.
		if (this.#wish?.held !== undefined) return rangeOf(wanted);
		const [free] = this.freeRanges(wanted);
		if (!free) throw new Error(NO_FREE_RANGE);
		return free;
	}

	/** Makes the addresses of Services those of the namespace, in which the server listens. */
	async #serve(): Promise<Error | undefined> {
		const { services } = this;
		if (services === undefined) return undefined;
		try {
			await this.change({ network: 'local', device: BRIDGE, address: services, alias: BRIDGE });
			return undefined;
		} catch (error) {
			return new Error(`the addresses ${services} cannot be those of Services: ${messageOf(error)}`, {
				cause: error,
			});
		}
	}
}

/** A descriptor of the namespace that a waiter holds, if it runs and holds one. */
function nodeNamespaceOf(identity: ProcessIdentity): number | undefined {
	const folder = `/proc/${identity.pid}/fd`;
	for (const name of attempt(() => readdirSync(folder)) ?? []) {
		const path = `${folder}/${name}`;
		if (!attempt(() => readlinkSync(path))?.startsWith('net:')) continue;
		const fd = attempt(() => openSync(path, 'r'));
		if (fd === undefined) continue;
		// Looked at after the open: the process that had it still was the one that is meant.
		if (isRunning(identity)) return fd;
		closeSync(fd);
	}
	return undefined;
}
