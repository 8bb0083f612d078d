import { diskUsage } from '../../../base/files/disk-usage.ts';
import { codeOf } from '../../../base/files/system-error.ts';
import { type ContainerFiles, OWN_FILES } from '../../files/container-files.ts';
import type { SubordinateIds } from '../../process/shim/probe.ts';
import { checkId } from '../subordinate-ids.ts';
import type { ImageWorker } from './image-worker.ts';

/**
 * Files of containers whose users are numbers of a user namespace: the worker is in one with the same numbers. What this process
 * can do itself, it does, since the worker takes a tenth of a second to start.
 */
export function userFiles(worker: Pick<ImageWorker, 'call'>, ids: SubordinateIds): ContainerFiles {
	return {
		giveTo: async (path, readers) => {
			checkId('user', readers.user, ids);
			checkId('group', readers.group, ids);
			await worker.call('giveTo', { path, readers });
		},
		setOwnership: async (path, options) => {
			checkId('group', options.group, ids);
			await worker.call('setOwnership', { path, options });
		},
		remove: (path) =>
			ownOr(
				() => OWN_FILES.remove(path),
				() => worker.call('removeFiles', { path }),
			),
		usageOf: async (path) => {
			let isWhole = true;
			const usage = await diskUsage(path, () => {
				isWhole = false;
			});
			return isWhole ? usage : await worker.call('usageOf', { path });
		},
		makeSubPath: (root, below) =>
			ownOr(
				() => OWN_FILES.makeSubPath(root, below),
				() => worker.call('makeSubPath', { root, below }),
			),
		textInVolume: async (root, below) =>
			(await OWN_FILES.textInVolume(root, below)) ??
			(await worker.call('textInVolume', { root, below })) ??
			undefined,
	};
}

/** Calls `other` if this process may not do it itself. */
async function ownOr<T>(own: () => Promise<T>, other: () => Promise<T>): Promise<T> {
	try {
		return await own();
	} catch (error) {
		if (!['EACCES', 'EPERM'].includes(codeOf(error))) throw error;
		return await other();
	}
}
