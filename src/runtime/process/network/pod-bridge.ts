import type { NetworkRequest } from '../shim/shim-request.ts';
import type { PodRange } from './pod-range.ts';

/** What the networks of all Pods of a launcher are attached to. */
export interface ReadyBridge {
	readonly name: string;
	readonly range: PodRange;
	/** Why Pods cannot reach other machines; undefined: they can, as far as this process knows. */
	readonly confined: string | undefined;
	/** Why the addresses of Services do not lead to the server. */
	readonly unserved: Error | undefined;
}

/** The addresses of Pods and Services, such as `10.96.0.0/16`. */
export interface OpenedNetwork {
	readonly podRange: string;
	/** Absent: Pods do not reach Services. */
	readonly serviceRange?: string;
	/** What a launcher needs whose user is not root: see NodeBridge. */
	readonly node?: NodeWish;
}

/** The network namespace for the bridge of an ordinary user. */
export interface NodeWish {
	/** The maps of its user namespace, as lines `inner outer count`. */
	readonly idMaps: { readonly uid: string; readonly gid: string };
	/** The path of one that a server has from an earlier launcher of the folder; Pods then have the addresses that are wanted. */
	readonly held?: string;
}

/** The network of the node. */
export interface NodeNetwork {
	/** The path of its network namespace. */
	readonly path: string;
	/** The addresses of its Pods, such as `10.244.0.0/16`. */
	readonly podRange: string;
}

/** The bridge of a launcher. Only one exists at a time. */
export interface PodBridge {
	/** Notes how the bridge has to be, before it is prepared. */
	open(network: OpenedNetwork): void;
	/** Finds the bridge or makes it, with addresses of the range `wanted` if they are free. Rejects with an Error. */
	prepared(wanted: string): Promise<ReadyBridge>;
	/** The network that has the bridge for `range`; undefined: that of this process. Rejects as prepared. */
	nodeFor(range: string): Promise<NodeNetwork | undefined>;
	/** The bridge may have been removed by another program: it is searched for before the next use. */
	renew(): void;
	/** Changes networks where the bridge is; resolves to a descriptor of what was made, if anything was. */
	change(request: NetworkRequest): Promise<number | undefined>;
	/** Removes the bridge; undefined if there is nothing to remove. */
	remove(): Promise<void> | undefined;
}
