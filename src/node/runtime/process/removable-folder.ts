import { rmSync, statSync } from 'node:fs';

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
		this.#identity = identityOf(path);
	}

	/** Removes the folder with all that is in it; `onError` is told why if that fails. */
	remove(onError: (error: unknown) => void): void {
		if (this.#identity === undefined || identityOf(this.#path) !== this.#identity) return;
		try {
			rmSync(this.#path, { recursive: true, force: true, maxRetries: 10 });
		} catch (error) {
			onError(error);
		}
	}
}

function identityOf(path: string): string | undefined {
	const found = statSync(path, { throwIfNoEntry: false });
	return found?.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
}
