import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from '../../../base/system-error.ts';
import { isIdentity, isRunning, type ProcessIdentity } from './process-table.ts';
import { readRegularFile } from './regular-file.ts';

/** The lock's file, in the launcher's folder. */
export const LAUNCHER_LOCK = 'launcher.lock';

/** The process that holds a lock, and where. */
export interface LockHolder extends ProcessIdentity {
	/** The identity of the folder that the lock is for: see folderIdentity. */
	readonly folder?: string;
}

/**
 * Makes sure that one launcher works in a folder. The lock is a file that names its holder; a holder that
 * no longer runs loses it. Taking over from a dead one is a rename, so that of two that try at once one
 * finds nothing to rename and looks again. A lock that was copied with its folder holds nothing: its holder
 * works in the original.
 */
export class LauncherLock {
	readonly #path: string;
	readonly #self: LockHolder;

	private constructor(path: string, self: LockHolder) {
		this.#path = path;
		this.#self = self;
	}

	/** Takes the lock at `path` for the process `self`; undefined if another process that runs holds it. */
	static take(path: string, self: LockHolder): LauncherLock | undefined {
		const own = `${path}.${self.pid}`;
		rmSync(own, { force: true });
		// Fails if there is anything, also a link to elsewhere.
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

	/** False once the file is gone, or another process has put its own in its place. */
	get isHeld(): boolean {
		const holder = readHolder(this.#path);
		return holder?.pid === this.#self.pid && holder.start === this.#self.start;
	}

	/** Gives the lock back, if it is still held. */
	release(): void {
		if (this.isHeld) rmSync(this.#path, { force: true });
	}
}

/** Whether a process that runs holds the lock at `path`. */
export function isLocked(path: string): boolean {
	const holder = readHolder(path);
	return holder !== undefined && isRunning(holder);
}

/** Whether the holder runs, and works in the folder with this identity. */
function holds(holder: LockHolder | undefined, folder: string | undefined): boolean {
	if (!holder || !isRunning(holder)) return false;
	return holder.folder === undefined || holder.folder === folder;
}

/** Takes the dead holder's file away, or puts it back if it turns out to be that of a living one. */
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
