import { statSync } from 'node:fs';

/**
 * Tells the folder at a path from any other that is or will be there: a copy of it, or one that is made in its
 * place. It stays the same when the folder is renamed. Undefined if there is no folder.
 */
export function folderIdentity(path: string): string | undefined {
	const found = statSync(path, { throwIfNoEntry: false });
	return found?.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
}
