import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from './system-error.ts';

/**
 * Removes a file, or a folder with its contents; does nothing if `path` does not exist. Symbolic links are
 * removed and not followed. A folder whose owner has no rights to it (`chmod 000` in a container) gets them
 * first, since `rm` cannot empty it otherwise. Paths in it may be longer than the system takes. Rejects with the system's error.
 */
export async function removeTree(path: string): Promise<void> {
	if (removeSmallTree(path)) return;
	const options = { recursive: true, force: true, maxRetries: 10 };
	try {
		await rm(path, options);
	} catch (error) {
		// The program goes from folder to folder, and needs no path.
		if (codeOf(error) === 'ENAMETOOLONG')
			return void (await promisify(execFile)('/bin/rm', ['-rf', '--', path]));
		if (!['EACCES', 'EPERM'].includes(codeOf(error))) throw error;
		await openFolders(path);
		await rm(path, options);
	}
}

/** What is removed at once: some microseconds for each entry, and no file whose blocks take long to free. */
const MOST_ENTRIES = 64;
const MOST_BYTES = 1024 * 1024;
/** A folder of at most this size has few entries: file systems store at least some bytes for each. */
const MOST_FOLDER_BYTES = 4096;

/**
 * Removes a tree of few entries synchronously: for those of most Pods, that costs a tenth of the way through the thread
 * pool. Returns false if it has more, or if anything fails; then a part of it may be gone.
 */
function removeSmallTree(path: string): boolean {
	try {
		return removeEntry(path, { entries: MOST_ENTRIES });
	} catch {
		return false;
	}
}

function removeEntry(path: string, left: { entries: number }): boolean {
	const stats = lstatSync(path, { throwIfNoEntry: false });
	if (!stats) return true;
	const isFolder = stats.isDirectory();
	if (stats.size > (isFolder ? MOST_FOLDER_BYTES : MOST_BYTES)) return false;
	if (!isFolder) unlinkSync(path);
	else if (removeContents(path, left)) rmdirSync(path);
	else return false;
	return true;
}

function removeContents(path: string, left: { entries: number }): boolean {
	const entries = readdirSync(path, { withFileTypes: true });
	left.entries -= entries.length;
	if (left.entries < 0) return false;
	for (const entry of entries) {
		const each = join(path, entry.name);
		if (entry.isSymbolicLink()) unlinkSync(each);
		else if (!removeEntry(each, left)) return false;
	}
	return true;
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
