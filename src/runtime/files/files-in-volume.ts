/**
 * Files in volumes that containers have written. A container may put a link, a pipe or a device in the place of a file, so
 * each step starts at the open folder that the step before has reached (`/proc/self/fd/N/name`, as openat does) and
 * follows no link.
 */
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, realpath } from 'node:fs/promises';
import { undefinedIfMissing } from '../../base/files/system-error.ts';

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Maximum size of a file that is read, in bytes: far more than the variables of a container may have. */
const LARGEST_FILE = 1024 * 1024;

/** The text of a regular file at `path` below the volume `root`; undefined if there is none or it is too large. */
export async function textInVolume(root: string, path: string): Promise<string | undefined> {
	const parts = partsOf(path);
	const name = parts.pop();
	if (name === undefined) return undefined;
	try {
		return await inFolder(root, parts, async (folder) => {
			const file = await open(entryOf(folder, name), FILE);
			try {
				const stats = await file.stat();
				return stats.isFile() && stats.size <= LARGEST_FILE ? await file.readFile('utf8') : undefined;
			} finally {
				await file.close();
			}
		});
	} catch {
		return undefined;
	}
}

/**
 * Creates the folder `subPath` in the volume `root`, with the permissions of the volume's own folder, unless something
 * exists there (upstream: `SafeMakeDir`). Stops at a symbolic link, which the runtime resolves again. Resolves to false if it
 * leads out of the volume. Rejects with the system's error.
 */
export async function makeSubPath(root: string, subPath: string): Promise<boolean> {
	const stats = await lstat(root);
	// A volume may be a single file.
	if (!stats.isDirectory()) return true;
	const link = await makeBelow(await open(root, FOLDER), partsOf(subPath), stats.mode & 0o7777);
	return link === undefined || `${link}/`.startsWith(`${await realpath(root)}/`);
}

/** Creates the folders one below the other, and closes `folder`. Resolves to where a link among them leads. */
async function makeBelow(
	folder: FileHandle,
	[name, ...rest]: readonly string[],
	mode: number,
): Promise<string | undefined> {
	let next: FileHandle | undefined;
	try {
		if (name === undefined) return undefined;
		const path = entryOf(folder, name);
		const found = await lstat(path).catch(undefinedIfMissing);
		if (!found) {
			await mkdir(path, { mode });
			next = await open(path, FOLDER);
			await chmod(`/proc/self/fd/${next.fd}`, mode);
		} else if (found.isDirectory()) {
			next = await open(path, FOLDER);
		} else if (found.isSymbolicLink()) {
			return await realpath(path);
		}
	} finally {
		await folder.close();
	}
	return next && (await makeBelow(next, rest, mode));
}

async function inFolder<T>(
	root: string,
	[name, ...rest]: readonly string[],
	act: (folder: FileHandle) => Promise<T>,
): Promise<T> {
	const folder = await open(root, FOLDER);
	try {
		return name === undefined ? await act(folder) : await inFolder(entryOf(folder, name), rest, act);
	} finally {
		await folder.close();
	}
}

function entryOf(folder: FileHandle, name: string): string {
	return `/proc/self/fd/${folder.fd}/${name}`;
}

function partsOf(path: string): string[] {
	const parts = path.split('/').filter((part) => part !== '' && part !== '.');
	if (parts.includes('..')) throw new Error("must not contain '..'");
	return parts;
}
