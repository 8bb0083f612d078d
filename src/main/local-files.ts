import { createReadStream } from 'node:fs';
import { constants, mkdir, open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { codeOf, isMissing } from '../base/files/system-error.ts';
import { type LocalFiles, OutsideError } from '../cli/cp/local-files.ts';

/** The {@link LocalFiles} of the real machine. */
export const LOCAL_FILES: LocalFiles = {
	stat: async (path) => {
		try {
			const found = await stat(path);
			const type = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
			return { type, mode: found.mode & 0o7777, size: found.size, modified: found.mtimeMs / 1000 };
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw error;
		}
	},
	list: async (folder) => (await readdir(folder)).sort(),
	regularFiles: async (folder) => {
		const entries = await readdir(folder, { withFileTypes: true });
		return entries
			.filter((entry) => entry.isFile())
			.map(({ name }) => name)
			.sort();
	},
	read: (path) => createReadStream(path),
	createFolder: async (root, path) => {
		await checkInside(root, path);
		await mkdir(path, { recursive: true });
	},
	write: async (root, path, { mode, content }) => {
		await checkInside(root, path);
		await mkdir(dirname(path), { recursive: true });
		await checkInside(root, path);
		const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;
		const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode & 0o777).catch((error) => {
			throw codeOf(error) === 'ELOOP' ? new OutsideError(path) : error;
		});
		try {
			for await (const bytes of content) await file.writeFile(bytes);
		} finally {
			await file.close();
		}
	},
};

/** Throws if links of the folders on the way to `path` lead out of `root`. Folders that do not exist have no links. */
async function checkInside(root: string, path: string): Promise<void> {
	const [realRoot, realFolder] = [await realExisting(root), await realExisting(dirname(path))];
	if (realRoot === realFolder || isBelow(realRoot, realFolder)) return;
	// `root` itself may be a file that is about to be written: its folder is the user's choice.
	if (path !== root) throw new OutsideError(path);
}

/** The real path of the nearest folder that exists, with the rest of the path. */
async function realExisting(path: string): Promise<string> {
	try {
		return await realpath(path);
	} catch (error) {
		if (!isMissing(error) || dirname(path) === path) throw error;
		return `${await realExisting(dirname(path))}${sep}${path.slice(dirname(path).length).replace(/^[/\\]+/, '')}`;
	}
}

function isBelow(root: string, path: string): boolean {
	const way = relative(root, path);
	return way !== '..' && !way.startsWith(`..${sep}`);
}
