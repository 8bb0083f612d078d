import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../../base/files/private-files.ts';
import type { Owner } from './containers/container-labels.ts';
import { DOCKER_FILES } from './docker-files.ts';

/**
 * The identity by which a server knows its containers, kept in its runtime folder. It moves with the folder; in a copy of the
 * data folder it is made anew, as the containers of the original are not those of the copy.
 */
export function ownerOf(folder: string): Owner {
	const path = join(folder, DOCKER_FILES.owner);
	const kept = readPrivateFile(path)?.trim();
	if (kept && /^[0-9a-f]{16}$/.test(kept)) return { id: kept, folder };
	const id = randomBytes(8).toString('hex');
	writePrivateFile(path, `${id}\n`);
	return { id, folder };
}
