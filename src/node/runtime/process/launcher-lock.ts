import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isRunning, type ProcessIdentity } from './process-table.ts';

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
		if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
		throw error;
	}
}

function readHolder(path: string): ProcessIdentity | undefined {
	try {
		// Only a launcher writes this file, whole, in a folder that only its user can enter.
		return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
	} catch {
		return undefined;
	}
}
