import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from '../../../base/system-error.ts';
import { isRunning, type ProcessIdentity, parseIdentity } from './process-table.ts';

/** The lock's file, in the launcher's folder. */
export const LAUNCHER_LOCK = 'launcher.lock';

/**
 * Makes sure that one launcher works in a folder. The lock is a file that names its holder; a holder that
 * no longer runs loses it. Taking over from a dead one is a rename, so that of two that try at once one
 * finds nothing to rename and looks again.
 */
export class LauncherLock {
	readonly #path: string;

	private constructor(path: string) {
		this.#path = path;
	}

	/** Takes the lock at `path` for the process `self`; undefined when another process that runs holds it. */
	static take(path: string, self: ProcessIdentity): LauncherLock | undefined {
		const own = `${path}.${self.pid}`;
		writeFileSync(own, JSON.stringify(self), { mode: 0o600 });
		try {
			while (!tryLink(own, path)) {
				const holder = readHolder(path);
				if (holder && isRunning(holder)) return undefined;
				removeStale(path, `${own}.stale`);
			}
			return new LauncherLock(path);
		} finally {
			rmSync(own, { force: true });
		}
	}

	/** Gives the lock back. */
	release(): void {
		rmSync(this.#path, { force: true });
	}
}

/** Whether a process that runs holds the lock at `path`. */
export function isLocked(path: string): boolean {
	const holder = readHolder(path);
	return holder !== undefined && isRunning(holder);
}

/** Takes the dead holder's file away, or puts it back if it turns out to be that of a living one. */
function removeStale(path: string, aside: string): void {
	try {
		renameSync(path, aside);
	} catch {
		return;
	}
	const holder = readHolder(aside);
	if (holder && isRunning(holder)) tryLink(aside, path);
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

function readHolder(path: string): ProcessIdentity | undefined {
	try {
		return parseIdentity(readFileSync(path, 'utf8'));
	} catch {
		return undefined;
	}
}
