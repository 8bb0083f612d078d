import type { Clock } from '../../base/clock.ts';
import type { Part } from '../../base/lifecycle.ts';
import type { VolumeHost } from '../../node/pods/volume-host.ts';
import type { MemoryRoot } from '../../node/volumes/memory-root.ts';
import type { ContainerFiles } from '../../runtime/files/container-files.ts';
import type { Log } from '../log.ts';
import type { DataFolder } from './data-folder.ts';

/** The settings of {@link nodeVolumes}. */
export interface NodeVolumesSettings {
	readonly runtime: string;
	readonly folder: DataFolder;
	readonly clock: Clock;
	readonly log: Log;
	/** What works on files of containers, once the runtime is started. */
	readonly files: { readonly current: ContainerFiles | undefined };
}

/**
 * The part of a server that keeps the volumes of its Pods. Its stop removes what is in memory if `killsPods` returns true. Undefined for a
 * runtime that only simulates containers: it needs no files, and the modules are not loaded for it.
 */
export function nodeVolumes(
	settings: NodeVolumesSettings,
	killsPods: () => boolean,
): Part<VolumeHost | undefined> {
	let memory: MemoryRoot | undefined;
	return {
		name: 'volumes',
		start: async () => {
			if (settings.runtime === 'fake') return undefined;
			const { PodFolders } = await import('../../node/volumes/pod-folders.ts');
			const { FolderVolumes } = await import('../../node/volumes/folder-volumes.ts');
			const { OWN_FILES } = await import('../../runtime/files/container-files.ts');
			const { folder, clock } = settings;
			const files = (): ContainerFiles => settings.files.current ?? OWN_FILES;
			memory = await memoryOf(settings, files);
			return new FolderVolumes({
				folders: new PodFolders({ disk: folder.pods, memory, files }),
				files,
				clock,
			});
		},
		stop: async () => {
			if (killsPods()) await memory?.remove();
		},
	};
}

async function memoryOf(
	{ folder, log }: NodeVolumesSettings,
	files: () => ContainerFiles,
): Promise<MemoryRoot> {
	const { MemoryRoot: Root } = await import('../../node/volumes/memory-root.ts');
	return new Root({
		disk: folder.pods,
		files,
		onUnusable: (reason) =>
			log.warning(`Secrets of Pods are stored in ${folder.pods}, and not in memory: ${reason}`),
	});
}
