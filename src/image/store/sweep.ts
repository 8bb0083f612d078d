import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../digest.ts';
import { readContainerRecords, readImageRecords, readRefRecords } from './records.ts';
import { type RepositorySweep, sweepRepositories } from './repositories/sweep-repositories.ts';
import { digestOfFileName } from './store-folders.ts';
import type { StoreSession } from './store-session.ts';

/**
 * Discards what nothing needs: sessions of processes that have ended, names without an image, and layers and blobs
 * that neither a record nor a lease names; of the registry, what {@link sweepRepositories} says. The caller holds the lock of the store and empties the trash after it.
 */
export async function sweep({ folders, session, now }: RepositorySweep): Promise<void> {
	const needed = new Set(await session.leasedByAll());
	const images = await readImageRecords(folders);
	for (const { id, manifestDigest, layers } of images) {
		for (const digest of [id, manifestDigest]) needed.add(digest);
		for (const { digest, chainId } of layers) needed.add(digest).add(chainId);
	}
	const ids = new Set(images.map(({ id }) => id));
	for (const { name, imageId, documents } of await readRefRecords(folders)) {
		if (ids.has(imageId)) for (const digest of documents) needed.add(digest);
		else await session.discard(folders.ref(name));
	}
	for (const { imageId, chainIds } of await readContainerRecords(folders))
		for (const digest of [imageId, ...chainIds]) needed.add(digest);
	for (const digest of await sweepRepositories({ folders, session, now })) needed.add(digest);
	await discardUnneeded({ folder: folders.layers, needed, session });
	await discardUnneeded({ folder: folders.blobs, needed, session });
	// A process that waits for the lock of a layer has leased the layer.
	await discardUnneeded({ folder: folders.locks, needed, session });
}

interface Discarding {
	readonly folder: string;
	readonly needed: ReadonlySet<Digest>;
	readonly session: StoreSession;
}

async function discardUnneeded({ folder, needed, session }: Discarding): Promise<void> {
	for (const name of await readdir(folder)) {
		const digest = digestOfFileName(name);
		if (digest !== undefined && !needed.has(digest)) await session.discard(join(folder, name));
	}
}
