import { chmod, lstat, mkdir, rename, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { isMissing } from '../../base/files/system-error.ts';
import type { VolumeFolders } from '../../controllers/local-provisioner/local-provisioner.ts';
import type { ContainerFiles } from '../../runtime/files/container-files.ts';

/** The prefix of folders that are being removed. No volume's folder begins with it. */
const REMOVED_PREFIX = '.removed-';

/**
 * The folders of local volumes, in the folder `root` of the data folder. `files` removes what containers have written, once a runtime
 * has been started.
 *
 * 1. Nothing outside of `root` is touched: a name is a single component of a path, and symbolic links in a
 *    volume are removed and never followed.
 * 2. A folder is renamed before it is removed. A process that still writes by the old path fails then, and a
 *    removal that was interrupted is completed by the next call.
 */
export function volumeFolders(
	root: string,
	files: { readonly current: Pick<ContainerFiles, 'remove'> | undefined },
): VolumeFolders {
	const removeFiles = (path: string): Promise<void> => files.current?.remove(path) ?? removeTree(path);
	const pathOf = (name: string): string => {
		assert(name !== '' && name === basename(name) && !name.startsWith('.'), `${name} is not a folder name`);
		return join(root, name);
	};
	return {
		make: async (name) => {
			const path = pathOf(name);
			await mkdir(path, { recursive: true });
			// The Pods' users may be any; the umask would take rights away from mkdir's mode. As local-path does.
			await chmod(path, 0o777);
			return path;
		},
		remove: async (name) => {
			const path = pathOf(name);
			const removed = join(root, `${REMOVED_PREFIX}${name}`);
			await removeFiles(removed);
			try {
				if ((await lstat(path)).isDirectory()) await rename(path, removed);
				else await unlink(path);
			} catch (error) {
				if (!isMissing(error)) throw error;
			}
			await removeFiles(removed);
		},
	};
}
