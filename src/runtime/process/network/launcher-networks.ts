import type { EntryTable } from '../launcher/entry-table.ts';
import type { ProcessIdentity } from '../launcher/process-table.ts';
import type { Shim } from '../shim/shim.ts';
import { HostBridge } from './host-bridge.ts';
import { NodeBridge } from './node/node-bridge.ts';
import { PodNetworks } from './pod-networks.ts';

/** What the networks of a launcher's Pods need of it. */
export interface LauncherNetworksOptions {
	readonly shim: Pick<Shim, 'changeNetwork'>;
	/** See Origin.key. */
	readonly key: string;
	/** The sandboxes and containers that an earlier launcher has left. */
	readonly entries: Pick<EntryTable, 'networks' | 'processesIn'>;
	onError(error: unknown): void;
}

/** The networks of Pods: on a bridge of the machine for root, on one of the user's own otherwise. */
export function podNetworksOf({ shim, key, entries, onError }: LauncherNetworksOptions): PodNetworks {
	const left = entries.networks();
	const waiters = (): readonly ProcessIdentity[] => [...left.keys()].flatMap((id) => entries.processesIn(id));
	const isRoot = process.geteuid?.() === 0;
	const bridge = isRoot
		? new HostBridge({ shim, key, left, onError })
		: new NodeBridge({ shim, left, waiters });
	return new PodNetworks({ bridge, left });
}
