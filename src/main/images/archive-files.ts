import { accessSync, constants, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { systemReason } from '../../base/files/folders.ts';
import { codeOf } from '../../base/files/system-error.ts';
import { CommandError } from '../../cli/context.ts';
import type { ArchiveTarget } from '../../cli/images/local-images.ts';

/** Throws a CommandError if a file cannot be read. */
export function checkReadable(path: string): void {
	try {
		accessSync(path, constants.R_OK);
		if (statSync(path).isDirectory()) throw new CommandError(`${path} is a folder, and no archive of images`);
	} catch (error) {
		if (error instanceof CommandError) throw error;
		throw new CommandError(`open ${path}: ${systemReason(error)}`);
	}
}

/** Writes the pieces to their target. The file appears under its name when it is complete. */
export async function writeArchive(pieces: AsyncIterable<Buffer>, to: ArchiveTarget): Promise<void> {
	if (!('path' in to)) {
		for await (const piece of pieces) await to.write(piece);
		return;
	}
	const { path } = to;
	const existing = statSync(path, { throwIfNoEntry: false });
	// Devices and pipes, such as /dev/null, cannot be replaced.
	const draft = existing && !existing.isFile() ? path : `${path}.${process.pid}.new`;
	try {
		const file = await open(draft, 'w', 0o644);
		try {
			for await (const piece of pieces) await file.writeFile(piece);
		} finally {
			await file.close();
		}
		if (draft !== path) await rename(draft, path);
	} catch (error) {
		if (draft !== path) await rm(draft, { force: true });
		throw codeOf(error) === '' ? error : new CommandError(`${path}: ${systemReason(error)}`);
	}
}
