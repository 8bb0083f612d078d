import { chmodSync, lstatSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPrivateFolder } from '../../../base/files/private-files.ts';
import { removeTree } from '../../../base/files/remove-tree.ts';

/** The names of the folders created here. Other names in the base folder are ignored. */
const NAME = /^\d{1,15}$/;

/**
 * The working folders of sandboxes, empty at the start. Every user may write to them, since a container may run as any;
 * other programs cannot reach them, because their base folder is private. A folder that is still empty when its sandbox is
 * removed is reused for the next one. Most are: creating and removing a folder per sandbox costs up to 0.3 ms (ext4),
 * a tenth of the total cost of a short Pod.
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
	 * Keeps the folders of `base` whose names are `inUse`, and removes the others that were created here; `onError`
	 * receives the error if one cannot be removed. Rejects if `base` is a link, since the removal would follow it, or
	 * belongs to another user, who could plant files.
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
			// Skips the names of folders that cannot be removed as well: they are not empty.
			next = Math.max(next, Number(name) + 1);
			if (!inUse.has(name)) await removeTree(join(base, name)).catch(onError);
		}
		return new WorkFolders(base, next);
	}

	/** Returns the name of an empty folder for the caller alone. Throws the system error if it cannot be created. */
	take(): string {
		const name = this.#free.pop() ?? this.#make();
		// A container may have changed the mode of a folder that is reused; mkdir subtracts the umask from that of a new one.
		// Only if it differs: a change of the mode to itself is written to the disk too.
		const path = this.pathOf(name);
		if ((lstatSync(path).mode & 0o7777) !== 0o777) chmodSync(path, 0o777);
		return name;
	}

	#make(): string {
		const name = String(this.#next++);
		mkdirSync(this.pathOf(name), { mode: 0o700 });
		return name;
	}

	/** The path of the folder `name`. */
	pathOf(name: string): string {
		return join(this.#base, name);
	}

	/** Returns a folder; resolves once its content is removed. Rejects with the system error. */
	async release(name: string): Promise<void> {
		const path = this.pathOf(name);
		if (isEmpty(path)) this.#free.push(name);
		else await removeTree(path);
	}

	/** Removes the free folders, which are empty. */
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
		// lstat, since a container may have replaced its folder by a link to another one.
		return lstatSync(path).isDirectory() && readdirSync(path).length === 0;
	} catch {
		return false;
	}
}
