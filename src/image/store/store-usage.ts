import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import { readLayerRecord } from './records.ts';
import { digestOfFileName, type StoreFolders } from './store-folders.ts';

/**
 * The length of what the store keeps for images: the files of layers, each layer once, and blobs. The files that containers
 * have written are not counted.
 */
export async function usedBytesIn(folders: StoreFolders): Promise<number> {
	const layers = (await readdir(folders.layers)).flatMap((name) => digestOfFileName(name) ?? []);
	const records = await Promise.all(layers.map((chainId) => readLayerRecord(folders, chainId)));
	const blobs = (await readdir(folders.blobs)).map((name) => join(folders.blobs, name));
	const stats = await Promise.all(blobs.map((path) => stat(path).catch(undefinedIfMissing)));
	return (
		records.reduce((sum, record) => sum + (record?.contentBytes ?? 0), 0) +
		stats.reduce((sum, each) => sum + (each?.size ?? 0), 0)
	);
}
