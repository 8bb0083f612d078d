import {
	accessSync,
	chmodSync,
	closeSync,
	constants,
	fstatSync,
	lstatSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	rmSync,
	type Stats,
	statSync,
	writeFileSync,
} from 'node:fs';
import { makeFolders, systemReason } from './folders.ts';

/**
 * Files and folders that belong to one user, who alone may read them.
 *
 * 1. No link is followed inside such a folder: a link that another user planted, while the folder was open to
 *    them, would have us overwrite or delete files elsewhere.
 * 2. Files are written beside and moved into place, with mode 0600 from the first byte on.
 * 3. Errors are an {@link UnusablePathError}, which says what is wrong with which path and what to do.
 */

/** A path cannot be used; the message says which one, why, and what to do about it. */
export class UnusablePathError extends Error {
	override readonly name = 'UnusablePathError';
	readonly path: string;

	constructor(path: string, problem: string, options: { readonly cause?: unknown } = {}) {
		super(`${path} ${problem}`, options);
		this.path = path;
	}
}

/**
 * Makes a folder at `path` that only its owner may enter, with the folders above it, or prepares the one that
 * exists, in which we expect the names `own`. `path` itself may be a link. Refuses what is no folder, belongs
 * to another user, or is open to other users while there is something in it that may be theirs.
 */
export function openPrivateRoot(path: string, own: ReadonlySet<string>): void {
	orUnusable(path, 'cannot be made', () => makeUnlessThere(path));
	const stats = orUnusable(path, 'cannot be read', () => statSync(path));
	checkFolder(path, stats);
	orUnusable(path, 'cannot be used', () => {
		if ((stats.mode & OPEN_TO_OTHERS) !== 0) closeToOthers(path, stats, own);
		accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
	});
}

/** What is in its place already is for the caller to judge. */
function makeUnlessThere(path: string): void {
	if (!lstatSync(path, { throwIfNoEntry: false })) makeFolders(path, PRIVATE_FOLDER);
}

/** An empty folder, or one that only we have written to, is closed; in any other there may be traps. */
function closeToOthers(path: string, { mode }: Stats, own: ReadonlySet<string>): void {
	const names = readdirSync(path);
	const writable = (mode & WRITABLE_BY_OTHERS) !== 0;
	const foreign = names.find((name) => !own.has(name));
	if (foreign !== undefined || (writable && names.length > 0)) {
		const open = writable ? 'can be written to' : 'can be entered';
		const remedy =
			foreign === undefined
				? `if all in it is yours, run: chmod 700 ${path}`
				: `${foreign} in it is not stint's: use a folder of its own`;
		throw new UnusablePathError(
			path,
			`${open} by other users (mode ${(mode & 0o777).toString(8)}); ${remedy}`,
		);
	}
	chmodSync(path, PRIVATE_FOLDER);
}

/** Makes a folder `path` in a private folder, or checks the one that exists: it must be no link, and ours. */
export function openPrivateFolder(path: string): void {
	orUnusable(path, 'cannot be made', () => makeUnlessThere(path));
	const stats = orUnusable(path, 'cannot be read', () => lstatSync(path));
	checkFolder(path, stats);
	if ((stats.mode & OPEN_TO_OTHERS) !== 0) {
		orUnusable(path, 'cannot be used', () => chmodSync(path, PRIVATE_FOLDER));
	}
}

/**
 * Checks what is at `path` in a private folder, if anything: it must be a file, no link, and ours. Where
 * others may read it, that ends.
 */
export function checkPrivateFile(path: string): void {
	const stats = orUnusable(path, 'cannot be read', () => lstatSync(path, { throwIfNoEntry: false }));
	if (stats) checkFile(path, stats);
}

/** The text of a file in a private folder (see {@link checkPrivateFile}), or undefined if there is none. */
export function readPrivateFile(path: string): string | undefined {
	const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
	const stats = orUnusable(path, 'cannot be read', () => lstatSync(path, { throwIfNoEntry: false }));
	if (!stats) return undefined;
	checkFile(path, stats);
	return orUnusable(path, 'cannot be read', () => {
		const fd = openSync(path, flags);
		try {
			const { size } = fstatSync(fd);
			if (size > LARGEST_FILE_BYTES) throw new Error(`it has ${size} bytes`);
			const bytes = Buffer.alloc(size);
			return bytes.subarray(0, readSync(fd, bytes, 0, size, 0)).toString('utf8');
		} finally {
			closeSync(fd);
		}
	});
}

/** Writes a file in a private folder; a reader finds the old text or the new one, never half of it. */
export function writePrivateFile(path: string, text: string): void {
	const draft = `${path}.new`;
	if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) throw isFolder(path);
	orUnusable(path, 'cannot be written', () => {
		// One that a crash left, or that was planted: a link is removed, not followed.
		rmSync(draft, { force: true, recursive: true });
		writeFileSync(draft, text, { mode: PRIVATE_FILE, flag: 'wx' });
		renameSync(draft, path);
	});
}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const OPEN_TO_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/** Far more than a key, a token or a kubeconfig needs. */
const LARGEST_FILE_BYTES = 16 << 20;

function checkFolder(path: string, stats: Stats): void {
	if (stats.isSymbolicLink()) throw isLink(path);
	if (!stats.isDirectory()) throw new UnusablePathError(path, 'is a file, not a folder: move it away');
	checkOwner(path, stats);
}

function checkFile(path: string, stats: Stats): void {
	if (stats.isSymbolicLink()) throw isLink(path);
	if (stats.isDirectory()) throw isFolder(path);
	if (!stats.isFile()) throw new UnusablePathError(path, 'is no ordinary file: move it away');
	checkOwner(path, stats);
	if ((stats.mode & OPEN_TO_OTHERS) === 0) return;
	orUnusable(path, 'cannot be used', () => chmodSync(path, PRIVATE_FILE));
}

function isFolder(path: string): UnusablePathError {
	return new UnusablePathError(path, 'is a folder, not a file: move it away');
}

function isLink(path: string): UnusablePathError {
	return new UnusablePathError(
		path,
		'is a symbolic link, which could lead to files of others: put what it leads to in its place, or remove it',
	);
}

function checkOwner(path: string, { uid }: Stats): void {
	const own = process.geteuid?.() ?? uid;
	if (uid === own) return;
	throw new UnusablePathError(
		path,
		`belongs to another user (uid ${uid}, and this process runs as uid ${own}): run stint as that user, or use another folder`,
	);
}

/** Does `act`; what the system refuses becomes an error about `path`, which ends with why. */
function orUnusable<T>(path: string, problem: string, act: () => T): T {
	try {
		return act();
	} catch (error) {
		if (error instanceof UnusablePathError) throw error;
		throw new UnusablePathError(path, `${problem}: ${reasonOf(error, path)}`, { cause: error });
	}
}

/** Why the system refused, in words, and the path that it is about if that is another one. */
function reasonOf(error: unknown, path: string): string {
	const at = error instanceof Error && 'path' in error ? String(error.path) : path;
	return at === path ? systemReason(error) : `${systemReason(error)}, at ${at}`;
}
