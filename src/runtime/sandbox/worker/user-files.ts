import { diskUsage } from '../../../base/files/disk-usage.ts';
import { removeTree } from '../../../base/files/remove-tree.ts';
import { codeOf } from '../../../base/files/system-error.ts';
import type { ContainerFiles } from '../../files/container-files.ts';
import type { ImageWorker } from './image-worker.ts';

/**
 * Files of containers whose users are numbers of a user namespace: the worker is in one with the same numbers. What this process
 * can do itself, it does, since the worker takes a tenth of a second to start.
 */
export function userFiles(worker: Pick<ImageWorker, 'call'>): ContainerFiles {
	return {
		giveTo: (path, readers) => worker.call('giveTo', { path, readers }),
		setOwnership: (path, options) => worker.call('setOwnership', { path, options }),
		remove: async (path) => {
			try {
				await removeTree(path);
			} catch (error) {
				if (!['EACCES', 'EPERM'].includes(codeOf(error))) throw error;
				await worker.call('removeFiles', { path });
			}
		},
		usageOf: async (path) => {
			let isWhole = true;
			const usage = await diskUsage(path, () => {
				isWhole = false;
			});
			return isWhole ? usage : await worker.call('usageOf', { path });
		},
	};
}
