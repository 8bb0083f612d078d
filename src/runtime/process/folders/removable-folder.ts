import { removeTree } from '../../../base/files/remove-tree.ts';
import { folderIdentity } from './folder-identity.ts';

/**
 * A folder that the launcher removes when it exits. It is removed only if its path still has the same folder, and not
 * one that the user has created there since.
 */
export class RemovableFolder {
	readonly #path: string;
	readonly #identity: string | undefined;

	/** Records the identity of the folder. If there is none at the path, `remove` does nothing. */
	constructor(path: string) {
		this.#path = path;
		this.#identity = folderIdentity(path);
	}

	/** Removes the folder with its content. Rejects with the system error. */
	async remove(): Promise<void> {
		if (this.#identity === undefined || folderIdentity(this.#path) !== this.#identity) return;
		await removeTree(this.#path);
	}
}
