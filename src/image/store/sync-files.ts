import { execFile } from 'node:child_process';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Waits until all files below a folder are on disk. One call of `syncfs`, which `sync -f` makes and Node does not
 * have, is much faster than an fsync of each file; those are made where that program is missing.
 */
export async function syncFiles(folder: string): Promise<void> {
	try {
		await promisify(execFile)('sync', ['-f', folder]);
	} catch {
		await syncEachFile(folder);
	}
}

async function syncEachFile(path: string): Promise<void> {
	const stats = await lstat(path);
	if (!stats.isFile() && !stats.isDirectory()) return;
	if (stats.isDirectory()) for (const name of await readdir(path)) await syncEachFile(join(path, name));
	const file = await open(path, 'r');
	try {
		await file.sync();
	} finally {
		await file.close();
	}
}
