import { lstatSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPrivateFolder } from '../../../base/private-files.ts';
import { removeTree } from '../../../base/remove-tree.ts';

/** What the names of the folders look like; anything else in the base is none of ours. */
const NAME = /^\d{1,15}$/;

/**
 * A folder for each sandbox to work in: private, empty at the start. One that is still empty in the end is
 * given to the next sandbox, since most are, and to make and remove a folder for each costs up to 0.3 ms
 * (ext4), a tenth of all that a short Pod takes.
 */
export class WorkFolders {
	readonly #base: string;
	readonly #free: string[] = [];
	#next: number;

	private constructor(base: string, next: number) {
		this.#base = base;
		this.#next = next;
	}

	/**
	 * Keeps the folders in `base` that are `inUse`, by name, and removes the others that were made here;
	 * `onError` is told of one that cannot be. Rejects if `base` is a link or another user's: what is in it
	 * would be removed somewhere else, or be planted.
	 */
	static async open(
		base: string,
		inUse: ReadonlySet<string>,
		onError: (error: unknown) => void,
	): Promise<WorkFolders> {
		openPrivateFolder(base);
		let next = 0;
		for (const name of readdirSync(base)) {
			if (!NAME.test(name)) continue;
			// Also after a name that cannot be removed, so that it is not used again.
			next = Math.max(next, Number(name) + 1);
			if (!inUse.has(name)) await removeTree(join(base, name)).catch(onError);
		}
		return new WorkFolders(base, next);
	}

	/** The name of an empty folder. */
	take(): string {
		const free = this.#free.pop();
		if (free !== undefined) return free;
		const name = String(this.#next++);
		mkdirSync(this.pathOf(name), { mode: 0o700 });
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
		else await removeTree(path);
	}

	/** Removes the folders that no sandbox uses, which are empty. */
	close(): void {
		for (const name of this.#free) {
			try {
				rmdirSync(this.pathOf(name));
			} catch {
				// The next launcher removes it.
			}
		}
	}
}

function isEmpty(path: string): boolean {
	try {
		// A container could have put a link in its place.
		return lstatSync(path).isDirectory() && readdirSync(path).length === 0;
	} catch {
		return false;
	}
}
