import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A folder for each sandbox to work in: private, empty at the start. One that is still empty in the end is
 * given to the next sandbox, since most are, and to make and remove a folder for each costs up to 0.3 ms
 * (ext4), a tenth of all that a short Pod takes.
 */
export class WorkFolders {
	readonly #base: string;
	readonly #free: string[] = [];
	#next = 0;

	/** Keeps the folders in `base` that are `inUse`, by name, and removes the others. */
	constructor(base: string, inUse: ReadonlySet<string>) {
		this.#base = base;
		mkdirSync(base, { recursive: true, mode: 0o700 });
		for (const name of readdirSync(base)) {
			if (inUse.has(name)) this.#next = Math.max(this.#next, Number(name) + 1);
			else rmSync(join(base, name), { recursive: true, force: true });
		}
	}

	/** The name of an empty folder. */
	take(): string {
		const free = this.#free.pop();
		if (free !== undefined) return free;
		const name = String(this.#next++);
		mkdirSync(this.pathOf(name), { recursive: true, mode: 0o700 });
		return name;
	}

	/** Where the folder `name` is. */
	pathOf(name: string): string {
		return join(this.#base, name);
	}

	/** Gives a folder back; resolves when what was in it is gone. */
	async release(name: string): Promise<void> {
		const path = this.pathOf(name);
		if (isEmpty(path)) this.#free.push(name);
		else await rm(path, { recursive: true, force: true });
	}

	/** Removes the folders that nobody uses; all of them, if so. */
	close(): void {
		for (const name of this.#free) rmSync(this.pathOf(name), { recursive: true, force: true });
	}
}

function isEmpty(path: string): boolean {
	try {
		return readdirSync(path).length === 0;
	} catch {
		return false;
	}
}
