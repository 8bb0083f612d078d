import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './system-error.ts';

/**
 * Removes a file, or a folder with its contents; does nothing if `path` does not exist. Symbolic links are
 * removed and not followed. A folder whose owner has no rights to it (`chmod 000` in a container) gets them
 * first, since `rm` cannot empty it otherwise. Rejects with the system's error.
 */
export async function removeTree(path: string): Promise<void> {
	const options = { recursive: true, force: true, maxRetries: 10 };
	try {
		await rm(path, options);
	} catch (error) {
		if (!['EACCES', 'EPERM'].includes(codeOf(error))) throw error;
		await openFolders(path);
		await rm(path, options);
	}
}

/** Gives the owner all rights to a folder and the folders below it. Ignores errors: the removal reports them. */
async function openFolders(path: string): Promise<void> {
	try {
		if (!(await lstat(path)).isDirectory()) return;
		await chmod(path, 0o700);
		for (const name of await readdir(path)) await openFolders(join(path, name));
	} catch {
		// The path has been removed, or belongs to another user.
	}
}
