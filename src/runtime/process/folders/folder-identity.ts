import { statSync } from 'node:fs';

/**
 * Identifies the folder at a path by device and inode: a copy of it, or another folder created at the same path, has
 * another identity. A rename does not change it. Undefined if there is no folder at the path.
 */
export function folderIdentity(path: string): string | undefined {
	const found = statSync(path, { throwIfNoEntry: false });
	return found?.isDirectory() ? `${found.dev}:${found.ino}` : undefined;
}
