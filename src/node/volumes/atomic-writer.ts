/**
 * Writes the files of a volume so that a container sees either all old ones or all new ones (upstream: `AtomicWriter` in
 * pkg/volume/util). Programs rely on the layout, for example by watching `..data`:
 *
 *     <volume>/..2026_01_02_15_04_05.abcdef/user/labels   the files, in a directory that never changes
 *     <volume>/..data -> ..2026_01_02_15_04_05.abcdef     replaced by a rename: the moment of the change
 *     <volume>/user -> ..data/user                        one link for each first element of a path
 *
 * 1. Containers must not be able to write to the volume: the runtime mounts it read-only.
 * 2. Calls for one volume must not overlap. A call that failed is repeated as a whole.
 * 3. No path can leave the volume: every path is checked before anything is written, and the only link that is followed
 *    is `..data`, whose target must be a name.
 */
import {
	chmod,
	chown,
	lstat,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	readlink,
	rename,
	symlink,
	unlink,
	writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeTree } from '../../base/files/remove-tree.ts';
import { codeOf, isMissing, undefinedIfMissing } from '../../base/files/system-error.ts';
import type { VolumeFile } from '../../plan/pod/inputs/volume-files.ts';

/** What a write depends on beside the files. */
export interface AtomicWriteOptions {
	/** The time for the name of the directory, in ms since the epoch. */
	readonly now: number;
	/** Sets owners and permissions of everything in the volume, before the files become visible. */
	finish(): Promise<void>;
}

const DATA = '..data';
const NEXT_DATA = '..data_tmp';

/**
 * Makes `files` the content of the volume at `folder`, which must exist. Does nothing if they are its content. Rejects
 * with upstream's message if a path is invalid.
 */
export async function writeAtomically(
	folder: string,
	files: readonly VolumeFile[],
	options: AtomicWriteOptions,
): Promise<void> {
	const cleaned = cleanPaths(files);
	const old = await currentData(folder);
	const removed = old === undefined ? [] : await pathsWithout(join(folder, old), cleaned);
	const isCurrent =
		old !== undefined && removed.length === 0 && (await hasContent(join(folder, old), cleaned));
	if (!isCurrent) await replaceData(folder, cleaned, options);
	await linkFiles(folder, cleaned);
	for (const path of removed)
		if (!path.includes('/')) await unlink(join(folder, path)).catch(undefinedIfMissing);
	if (old !== undefined && !isCurrent) await removeTree(join(folder, old));
}

/** Writes the files into a new directory and makes it the current one. */
async function replaceData(
	folder: string,
	files: readonly VolumeFile[],
	{ now, finish }: AtomicWriteOptions,
): Promise<void> {
	const made = await mkdtemp(join(folder, `${timestamp(now)}.`));
	try {
		await chmod(made, 0o755);
		for (const file of files) await writeFileOf(made, file);
		await finish();
		// Left by a write that was interrupted.
		await unlink(join(folder, NEXT_DATA)).catch(undefinedIfMissing);
		await symlink(basename(made), join(folder, NEXT_DATA));
		await rename(join(folder, NEXT_DATA), join(folder, DATA));
	} catch (error) {
		await removeTree(made);
		throw error;
	}
}

async function writeFileOf(root: string, { path, content, mode, owner }: VolumeFile): Promise<void> {
	const target = join(root, path);
	for (const folder of foldersAbove(path)) {
		await mkdir(join(root, folder)).catch(ignoreExisting);
		// The permissions must not depend on the umask of this process.
		await chmod(join(root, folder), 0o755);
	}
	await writeFile(target, content, { flag: 'wx', mode: 0o600 });
	await chmod(target, mode);
	// Only root can give files away. Without it, containers run as the owner of the file anyway.
	if (owner !== undefined && process.geteuid?.() === 0) await chown(target, owner, -1);
}

/** The links in the volume for the first elements of all paths. */
async function linkFiles(folder: string, files: readonly VolumeFile[]): Promise<void> {
	for (const name of new Set(files.map(({ path }) => path.split('/')[0] ?? ''))) {
		// A directory of this name is the mount point of another volume.
		await symlink(`${DATA}/${name}`, join(folder, name)).catch(ignoreExisting);
	}
}

/** The name of the current directory; undefined if there is none. */
async function currentData(folder: string): Promise<string | undefined> {
	const target = await readlink(join(folder, DATA)).catch(undefinedIfMissing);
	return target !== undefined && /^\.\.[^/.][^/]*$/.test(target) ? target : undefined;
}

/** The paths below `root`, directories included, that are not those of `files`. */
async function pathsWithout(root: string, files: readonly VolumeFile[]): Promise<readonly string[]> {
	const kept = new Set(files.flatMap(({ path }) => [path, ...foldersAbove(path)]));
	const entries = (await readdir(root, { recursive: true }).catch(undefinedIfMissing)) ?? [];
	return entries.filter((path) => !kept.has(path));
}

/** Whether each file exists below `root` with its content. Like upstream, it does not compare permissions. */
async function hasContent(root: string, files: readonly VolumeFile[]): Promise<boolean> {
	for (const { path, content } of files) {
		try {
			if (!(await lstat(join(root, path))).isFile()) return false;
			if (!(await readFile(join(root, path))).equals(Buffer.from(content))) return false;
		} catch (error) {
			if (isMissing(error)) return false;
			throw error;
		}
	}
	return true;
}

/** The directories above a path, the outermost first: `a/b/c` is in `a` and `a/b`. */
function foldersAbove(path: string): readonly string[] {
	const parent = dirname(path);
	return parent === '.' ? [] : [...foldersAbove(parent), parent];
}

const LONGEST_NAME = 255;
const LONGEST_PATH = 4096;

/** The files with cleaned paths. Throws upstream's message about one that is not allowed (`validatePath`). */
function cleanPaths(files: readonly VolumeFile[]): readonly VolumeFile[] {
	const cleaned = files.map((file) => {
		checkPath(file.path);
		return {
			...file,
			path: file.path
				.split('/')
				.filter((part) => part !== '' && part !== '.')
				.join('/'),
		};
	});
	// Of two files with one path, the later one counts.
	return [...new Map(cleaned.map((file) => [file.path, file])).values()];
}

function checkPath(path: string): void {
	if (path === '') throw new Error('invalid path: must not be empty: ""');
	if (path.startsWith('/')) throw new Error(`invalid path: must be relative path: ${path}`);
	if (Buffer.byteLength(path) > LONGEST_PATH)
		throw new Error(`invalid path: must be less than or equal to ${LONGEST_PATH} characters`);
	const parts = path.split('/');
	if (parts.includes('..')) throw new Error(`invalid path: must not contain '..': ${path}`);
	if (parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME))
		throw new Error(`invalid path: filenames must be less than or equal to ${LONGEST_NAME} characters`);
	// `./..data` would pass a check of the first element alone.
	const [first = ''] = parts.filter((part) => part !== '' && part !== '.');
	if (first.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`);
	if (first === '') throw new Error(`invalid path: must name a file: ${path}`);
}

/** The time as in the names of upstream's directories: `..2026_01_02_15_04_05`. */
function timestamp(now: number): string {
	return `..${new Date(now).toISOString().slice(0, 19).replace(/[-:T]/g, '_')}`;
}

function ignoreExisting(error: unknown): void {
	if (codeOf(error) !== 'EEXIST') throw error;
}
