import type { Clock } from '../../base/clock.ts';
import type { VolumeHost } from '../../node/pods/volume-host.ts';
import type { Log } from '../log.ts';
import type { DataFolder } from './data-folder.ts';

/** The volumes of the node of a server. */
export interface OpenVolumes {
	readonly host: VolumeHost;
	/** Removes what is in memory, after all containers were killed. The data folder is the caller's. */
	remove(): Promise<void>;
}

/**
 * Opens the folders of volumes, and removes what servers have left in memory that were killed and whose data folder is
 * gone. The modules are loaded only here: a server whose runtime simulates containers needs none of them.
 */
export async function openVolumes({
	folder,
	clock,
	log,
}: {
	readonly folder: DataFolder;
	readonly clock: Clock;
	readonly log: Log;
}): Promise<OpenVolumes> {
	const { MemoryRoot } = await import('../../node/volumes/memory-root.ts');
	const { PodFolders } = await import('../../node/volumes/pod-folders.ts');
	const { NodeVolumes } = await import('../../node/volumes/node-volumes.ts');
	const memory = new MemoryRoot({
		disk: folder.pods,
		onUnusable: (reason) =>
			log.warning(`Secrets of Pods are stored in ${folder.pods}, and not in memory: ${reason}`),
	});
	await memory.removeLeftovers();
	const folders = new PodFolders({ disk: folder.pods, memory });
	return { host: new NodeVolumes({ folders, clock }), remove: () => memory.remove() };
}
