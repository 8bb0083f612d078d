import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './system-error.ts';

/**
 * Removes a file or a folder with all that is in it; fine if there is none. Links are removed and not followed.
 * A folder that its owner has closed to itself (`chmod 000`) is opened first. Rejects with the system's error.
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

/** Gives the owner of a folder, and of those in it, all rights; what cannot be changed is left to the removal. */
async function openFolders(path: string): Promise<void> {
	try {
		if (!(await lstat(path)).isDirectory()) return;
		await chmod(path, 0o700);
		for (const name of await readdir(path)) await openFolders(join(path, name));
	} catch {
		// It is gone, or belongs to another user.
	}
}
