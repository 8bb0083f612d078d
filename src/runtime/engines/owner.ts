import { randomBytes } from 'node:crypto';
import { readPrivateFile, writePrivateFile } from '../../base/files/private-files.ts';

/** The server that owns the containers of an engine, which other servers and programs use too. */
export interface Owner {
	readonly id: string;
	/** The path of its folder, for people who look at the labels. */
	readonly folder: string;
}

/** The label with the id of the owner. */
export const OWNER_LABEL = 'stint.io/server';
/** The label with the folder of the owner. */
export const FOLDER_LABEL = 'stint.io/data-folder';

/**
 * The identity by which a server knows its containers, kept in the file at `path` of its runtime folder. It moves with the
 * folder; in a copy of the data folder it is made anew, as the containers of the original are not those of the copy.
 */
export function ownerOf(folder: string, path: string): Owner {
	const kept = readPrivateFile(path)?.trim();
	if (kept && /^[0-9a-f]{16}$/.test(kept)) return { id: kept, folder };
	const id = randomBytes(8).toString('hex');
	writePrivateFile(path, `${id}\n`);
	return { id, folder };
}
