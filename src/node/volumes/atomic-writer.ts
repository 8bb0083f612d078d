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
 * 4. It works synchronously, and pauses when the turn is spent: the files of a token take twenty calls of some
 *    microseconds, each of which would cost ten times as much by way of the thread pool.
 */
import {
	chmodSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	renameSync,
	symlinkSync,
	unlinkSync,
	writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { removeTree } from '../../base/files/remove-tree.ts';
import { codeOf, isMissing } from '../../base/files/system-error.ts';
import type { TurnBudget } from '../../base/turn.ts';
import type { VolumeFile } from '../../plan/pod/inputs/volume-files.ts';

/** What a write depends on beside the files. */
export interface AtomicWriteOptions {
	/** The time for the name of the directory, in ms since the epoch. */
	readonly now: number;
	/** Asked before each file. */
	readonly turn: Pick<TurnBudget, 'rest'>;
	/** Sets owners and permissions of everything in the volume, before the files become visible; those are in the folder `made`. */
	finish(made: string): Promise<void>;
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
	const old = currentData(folder);
	const removed = old === undefined ? [] : pathsWithout(join(folder, old), cleaned);
	const isCurrent =
		old !== undefined && removed.length === 0 && (await hasContent(join(folder, old), cleaned, options));
	if (!isCurrent) await replaceData(folder, cleaned, options);
	await linkFiles(folder, cleaned, options);
	for (const path of removed) if (!path.includes('/')) unlessMissing(() => unlinkSync(join(folder, path)));
	if (old !== undefined && !isCurrent) await removeTree(join(folder, old));
}

/** Writes the files into a new directory and makes it the current one. */
async function replaceData(
	folder: string,
	files: readonly VolumeFile[],
	{ now, turn, finish }: AtomicWriteOptions,
): Promise<void> {
	const made = mkdtempSync(join(folder, `${timestamp(now)}.`));
	try {
		chmodSync(made, 0o755);
		for (const file of files) {
			const wait = turn.rest();
			if (wait) await wait;
			writeFileOf(made, file);
		}
		await finish(made);
		// Left by a write that was interrupted.
		if (lstatSync(join(folder, NEXT_DATA), { throwIfNoEntry: false })) unlinkSync(join(folder, NEXT_DATA));
		symlinkSync(basename(made), join(folder, NEXT_DATA));
		renameSync(join(folder, NEXT_DATA), join(folder, DATA));
	} catch (error) {
		await removeTree(made);
		throw error;
	}
}

function writeFileOf(root: string, { path, content, mode }: VolumeFile): void {
	const target = join(root, path);
	for (const folder of foldersAbove(path)) {
		unlessExisting(() => mkdirSync(join(root, folder)));
		// The permissions must not depend on the umask of this process.
		chmodSync(join(root, folder), 0o755);
	}
	writeFileSync(target, content, { flag: 'wx', mode: 0o600 });
	chmodSync(target, mode);
}

/** The links in the volume for the first elements of all paths. */
async function linkFiles(
	folder: string,
	files: readonly VolumeFile[],
	{ turn }: AtomicWriteOptions,
): Promise<void> {
	for (const name of new Set(files.map(({ path }) => path.split('/')[0] ?? ''))) {
		const wait = turn.rest();
		if (wait) await wait;
		// A directory of this name is the mount point of another volume.
		unlessExisting(() => symlinkSync(`${DATA}/${name}`, join(folder, name)));
	}
}

/** The name of the current directory; undefined if there is none. */
function currentData(folder: string): string | undefined {
	const link = join(folder, DATA);
	// The error of a missing file takes as long as all other calls for the volume of a new Pod.
	if (!lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
	const target = unlessMissing(() => readlinkSync(link));
	return target !== undefined && /^\.\.[^/.][^/]*$/.test(target) ? target : undefined;
}

/** The paths below `root`, directories included, that are not those of `files`. */
function pathsWithout(root: string, files: readonly VolumeFile[]): readonly string[] {
	const kept = new Set(files.flatMap(({ path }) => [path, ...foldersAbove(path)]));
	const entries = unlessMissing(() => readdirSync(root, { recursive: true, encoding: 'utf8' })) ?? [];
	return entries.filter((path) => !kept.has(path));
}

/** Whether each file exists below `root` with its content. Like upstream, it does not compare permissions. */
async function hasContent(
	root: string,
	files: readonly VolumeFile[],
	{ turn }: AtomicWriteOptions,
): Promise<boolean> {
	for (const { path, content } of files) {
		const wait = turn.rest();
		if (wait) await wait;
		const stored = unlessMissing(() => contentOf(join(root, path)));
		if (!stored?.equals(Buffer.from(content))) return false;
	}
	return true;
}

/** The content of a file; undefined for anything but a regular file, and for one that was given to a user of a container. */
function contentOf(path: string): Buffer | undefined {
	if (!lstatSync(path).isFile()) return undefined;
	try {
		return readFileSync(path);
	} catch (error) {
		if (codeOf(error) === 'EACCES') return undefined;
		throw error;
	}
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

/** The result of `act`; undefined if it fails because a file does not exist. */
function unlessMissing<T>(act: () => T): T | undefined {
	try {
		return act();
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
}

function unlessExisting(act: () => void): void {
	try {
		act();
	} catch (error) {
		if (codeOf(error) !== 'EEXIST') throw error;
	}
}
