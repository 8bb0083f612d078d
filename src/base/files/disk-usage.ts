import { lstat, readdir } from 'node:fs/promises';
import { bytesByDu } from './du.ts';
import { codeOf, isMissing } from './system-error.ts';

/** The space that a folder takes in its file system. */
export interface DiskUsage {
	readonly usedBytes: number;
	/** The number of files and folders, itself included. */
	readonly inodes: number;
}

/** The unit of `st_blocks`. */
const BLOCK_BYTES = 512;
const SLASH = Buffer.from('/');

/**
 * The blocks and inodes of a folder and everything in it, as `du` counts them (upstream: `DiskUsage` in
 * pkg/volume/util/fs): a file with several links counts once. Follows no links. A folder that a container is changing
 * meanwhile is counted as it was met; one that this process may not read counts without its content, and `onUnreadable`
 * is called. Names may be any bytes. Where paths are longer than the system takes, `du` counts the bytes.
 */
export async function diskUsage(folder: string, onUnreadable?: () => void): Promise<DiskUsage> {
	const seen = new Set<string>();
	let usedBytes = 0;
	let inodes = 0;
	let isTooDeep = false;
	const left: Buffer[] = [Buffer.from(folder)];
	for (let path = left.pop(); path !== undefined; path = left.pop()) {
		try {
			const { dev, ino, nlink, blocks, isFolder } = await entryAt(path);
			const id = `${dev} ${ino}`;
			if (nlink > 1 && !isFolder && seen.has(id)) continue;
			if (nlink > 1 && !isFolder) seen.add(id);
			usedBytes += blocks * BLOCK_BYTES;
			inodes += 1;
			if (isFolder)
				for (const name of await readdir(path, { encoding: 'buffer' }))
					left.push(Buffer.concat([path, SLASH, name]));
		} catch (error) {
			if (codeOf(error) === 'EACCES') onUnreadable?.();
			else if (codeOf(error) === 'ENAMETOOLONG') isTooDeep = true;
			else if (!isMissing(error)) throw error;
		}
	}
	const counted = isTooDeep ? await bytesByDu(folder) : undefined;
	return { usedBytes: Math.max(usedBytes, counted ?? 0), inodes };
}

async function entryAt(path: Buffer): Promise<{
	readonly dev: number;
	readonly ino: number;
	readonly nlink: number;
	readonly blocks: number;
	readonly isFolder: boolean;
}> {
	const stats = await lstat(path);
	const { dev, ino, nlink, blocks } = stats;
	return { dev, ino, nlink, blocks, isFolder: stats.isDirectory() };
}
