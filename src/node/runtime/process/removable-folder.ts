import { removeTree } from '../../../base/remove-tree.ts';
import { folderIdentity } from './folder-identity.ts';

/**
 * A folder that is removed later, by its path: only if the folder at that path is still the one that was
 * there at the beginning, and not one that was made anew in its place.
 */
export class RemovableFolder {
	readonly #path: string;
	readonly #identity: string | undefined;

	/** Nothing will be removed if there is no folder at the path. */
	constructor(path: string) {
		this.#path = path;
		this.#identity = folderIdentity(path);
	}

	/** Removes the folder with all that is in it. Rejects with the system's error. */
	async remove(): Promise<void> {
		if (this.#identity === undefined || folderIdentity(this.#path) !== this.#identity) return;
		await removeTree(this.#path);
	}
}
