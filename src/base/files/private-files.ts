/**
 * Files and folders that only their owner can read: keys, tokens, kubeconfigs and the data folder.
 *
 * 1. No symbolic link is followed inside a private folder. While the folder was open to other users, one of
 *    them may have created a link there, through which this process would overwrite or delete files
 *    elsewhere.
 * 2. A file is written under another name with mode 0600 and then renamed, so that no reader sees a part of
 *    it and no other user can open it at any time.
 * 3. Every error is an {@link UnusablePathError}, whose message tells the user what to do.
 */

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

/** A path cannot be used. The message names the path, the reason and, if there is one, the remedy. */
export class UnusablePathError extends Error {
	override readonly name = 'UnusablePathError';
	readonly path: string;

	constructor(path: string, problem: string, options: { readonly cause?: unknown } = {}) {
		super(`${path} ${problem}`, options);
		this.path = path;
	}
}

/**
 * Creates a folder at `path` that only its owner can enter, and its missing ancestors. If the folder exists,
 * it is made private; `own` are the names that this program itself creates in it. `path` itself may be a
 * symbolic link. Throws if `path` is no folder, if it belongs to another user, or if it is open to other
 * users and contains files that may be theirs.
 */
export function openPrivateRoot(path: string, own: ReadonlySet<string>): void {
	orUnusable(path, 'cannot be created', () => createUnlessPresent(path));
	const stats = orUnusable(path, 'cannot be read', () => statSync(path));
	checkFolder(path, stats);
	orUnusable(path, 'cannot be used', () => {
		if ((stats.mode & OPEN_TO_OTHERS) !== 0) makePrivate(path, stats, own);
		accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
	});
}

/** Creates a folder unless `path` exists. The caller checks what an existing `path` is. */
function createUnlessPresent(path: string): void {
	if (!lstatSync(path, { throwIfNoEntry: false })) makeFolders(path, PRIVATE_FOLDER);
}

/**
 * Makes an existing folder private. Throws if it contains foreign names, or anything at all while other users
 * could write to it: they may have created links there (rule 1).
 */
function makePrivate(path: string, { mode }: Stats, own: ReadonlySet<string>): void {
	const names = readdirSync(path);
	const writable = (mode & WRITABLE_BY_OTHERS) !== 0;
	const foreign = names.find((name) => !own.has(name));
	if (foreign !== undefined || (writable && names.length > 0)) {
		const open = writable ? 'can be written to' : 'can be entered';
		const remedy =
			foreign === undefined
				? `if all files in it are yours, run: chmod 700 ${path}`
				: `it contains ${foreign}, which stint did not create: use a separate folder`;
		throw new UnusablePathError(
			path,
			`${open} by other users (mode ${(mode & 0o777).toString(8)}); ${remedy}`,
		);
	}
	chmodSync(path, PRIVATE_FOLDER);
}

/**
 * Creates a folder inside a private folder. If it exists, it must not be a symbolic link and must belong to
 * this user; it is made private.
 */
export function openPrivateFolder(path: string): void {
	orUnusable(path, 'cannot be created', () => createUnlessPresent(path));
	const stats = orUnusable(path, 'cannot be read', () => lstatSync(path));
	checkFolder(path, stats);
	if ((stats.mode & OPEN_TO_OTHERS) !== 0) {
		orUnusable(path, 'cannot be used', () => chmodSync(path, PRIVATE_FOLDER));
	}
}

/**
 * Checks a file inside a private folder: if it exists, it must be a regular file, not a symbolic link, and
 * belong to this user. Makes it private if other users could open it.
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
			if (size > MAX_FILE_BYTES)
				throw new Error(`it has ${size} bytes, and the maximum is ${MAX_FILE_BYTES}`);
			const bytes = Buffer.alloc(size);
			return bytes.subarray(0, readSync(fd, bytes, 0, size, 0)).toString('utf8');
		} finally {
			closeSync(fd);
		}
	});
}

/** Writes a file in a private folder. A reader finds the old text or the new text, never a part of it. */
export function writePrivateFile(path: string, text: string): void {
	const draft = `${path}.new`;
	if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) throw isFolder(path);
	orUnusable(path, 'cannot be written', () => {
		// A crash may have left a draft, and another user may have created a link: rmSync does not follow it.
		rmSync(draft, { force: true, recursive: true });
		writeFileSync(draft, text, { mode: PRIVATE_FILE, flag: 'wx' });
		renameSync(draft, path);
	});
}

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const OPEN_TO_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/** Far more than a key, a token or a kubeconfig needs, and little enough to allocate at once. */
const MAX_FILE_BYTES = 16 << 20;

function checkFolder(path: string, stats: Stats): void {
	if (stats.isSymbolicLink()) throw isLink(path);
	if (!stats.isDirectory()) throw new UnusablePathError(path, 'is a file, not a folder: move it away');
	checkOwner(path, stats);
}

function checkFile(path: string, stats: Stats): void {
	if (stats.isSymbolicLink()) throw isLink(path);
	if (stats.isDirectory()) throw isFolder(path);
	if (!stats.isFile()) throw new UnusablePathError(path, 'is not a regular file: move it away');
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
		'is a symbolic link, which could point to files of other users: replace it with its target, or remove it',
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

/** Returns the result of `act`, and turns a system error into an {@link UnusablePathError} about `path`. */
function orUnusable<T>(path: string, problem: string, act: () => T): T {
	try {
		return act();
	} catch (error) {
		if (error instanceof UnusablePathError) throw error;
		throw new UnusablePathError(path, `${problem}: ${reasonOf(error, path)}`, { cause: error });
	}
}

/** The reason of a system error in words, followed by the error's path if that is not `path`. */
function reasonOf(error: unknown, path: string): string {
	const at = error instanceof Error && 'path' in error ? String(error.path) : path;
	return at === path ? systemReason(error) : `${systemReason(error)}, at ${at}`;
}
