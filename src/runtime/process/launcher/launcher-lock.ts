import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from '../../../base/files/system-error.ts';
import { readRegularFile } from '../output/regular-file.ts';
import { isIdentity, isRunning, type ProcessIdentity } from './process-table.ts';

/** The process that holds a lock, and the folder that it holds it for. */
export interface LockHolder extends ProcessIdentity {
	/** The identity of the locked folder: see folderIdentity. */
	readonly folder?: string;
}

/**
 * The lock that ensures that a folder has at most one launcher: a file that names its holder, since Node has no
 * flock(2).
 *
 * 1. The file is created by a hard link, which fails if it exists, so that it is never seen half written.
 * 2. The lock of a holder that no longer runs is stale. A launcher takes a stale lock over by a rename: of two
 *    that try at once, one finds nothing to rename and starts over.
 * 3. A lock that was copied with its folder is stale: its holder works in the original folder.
 */
export class LauncherLock {
	readonly #path: string;
	readonly #self: LockHolder;

	private constructor(path: string, self: LockHolder) {
		this.#path = path;
		this.#self = self;
	}

	/** Takes the lock at `path` for the process `self`; undefined if another running process holds it. */
	static take(path: string, self: LockHolder): LauncherLock | undefined {
		const own = `${path}.${self.pid}`;
		rmSync(own, { force: true });
		// The flag wx fails if the path exists, a dangling symbolic link included.
		writeFileSync(own, JSON.stringify(self), { mode: 0o600, flag: 'wx' });
		try {
			while (!tryLink(own, path)) {
				if (holds(readHolder(path), self.folder)) return undefined;
				removeStale(path, { aside: `${own}.stale`, folder: self.folder });
			}
			return new LauncherLock(path, self);
		} finally {
			rmSync(own, { force: true });
		}
	}

	/** False if the file was removed, or replaced by another process. */
	get isHeld(): boolean {
		const holder = readHolder(this.#path);
		return holder?.pid === this.#self.pid && holder.start === this.#self.start;
	}

	/** Removes the lock file if this process still holds the lock. */
	release(): void {
		if (this.isHeld) rmSync(this.#path, { force: true });
	}
}

/** True if a running process holds the lock at `path`. */
export function isLocked(path: string): boolean {
	const holder = readHolder(path);
	return holder !== undefined && isRunning(holder);
}

/** True if the holder runs and works in the folder with this identity. */
function holds(holder: LockHolder | undefined, folder: string | undefined): boolean {
	if (!holder || !isRunning(holder)) return false;
	return holder.folder === undefined || holder.folder === folder;
}

/**
 * Removes a stale lock. Another launcher may have replaced it between the check and the rename: the renamed file
 * then names a running holder, and is put back.
 */
function removeStale(
	path: string,
	{ aside, folder }: { readonly aside: string; readonly folder: string | undefined },
): void {
	try {
		renameSync(path, aside);
	} catch {
		return;
	}
	if (holds(readHolder(aside), folder)) tryLink(aside, path);
	rmSync(aside, { force: true });
}

function tryLink(from: string, to: string): boolean {
	try {
		linkSync(from, to);
		return true;
	} catch (error) {
		if (codeOf(error) === 'EEXIST') return false;
		throw error;
	}
}

function readHolder(path: string): LockHolder | undefined {
	try {
		const value: unknown = JSON.parse(readRegularFile(path).toString('utf8'));
		return isHolder(value) ? value : undefined;
	} catch {
		return undefined;
	}
}

function isHolder(value: unknown): value is LockHolder {
	if (!isIdentity(value)) return false;
	const { folder }: ProcessIdentity & { folder?: unknown } = value;
	return folder === undefined || typeof folder === 'string';
}
