import type { Digest } from '../../digest.ts';
import type { StoreFolders } from '../store-folders.ts';
import type { StoreSession } from '../store-session.ts';
import { keptManifests } from './kept-manifests.ts';
import { allRepositories, type RepositoryFiles } from './repository-records.ts';

/** How long a blob stays that no manifest names: the client that pushed it, or asked for it, is about to push one. */
export const PENDING_BLOB_MS = 3_600_000;

/** What a sweep of the repositories needs. */
export interface RepositorySweep {
	readonly folders: StoreFolders;
	readonly session: StoreSession;
	/** In ms since the epoch. */
	readonly now: number;
}

/**
 * Discards the garbage of all repositories of the registry: manifests by {@link keptManifests}, and blobs that none of the
 * others names. Returns the digests that the repositories need. The caller holds the lock of the store.
 */
export async function sweepRepositories(sweep: RepositorySweep): Promise<ReadonlySet<Digest>> {
	const needed = new Set<Digest>();
	for (const files of await allRepositories(sweep.folders)) {
		const own = await sweepRepository(files, sweep);
		if (own.size === 0) await sweep.session.discard(files.path);
		for (const digest of own) needed.add(digest);
	}
	return needed;
}

async function sweepRepository(
	files: RepositoryFiles,
	{ session, now }: RepositorySweep,
): Promise<ReadonlySet<Digest>> {
	const manifests = await files.readManifests();
	const kept = keptManifests({ manifests, tags: await files.readTags(), now });
	const needed = new Set(kept);
	for (const { digest, blobs } of manifests) {
		if (kept.has(digest)) for (const blob of blobs) needed.add(blob);
		else await session.discard(files.manifest(digest));
	}
	for (const [digest, askedAt] of await files.readBlobs()) {
		if (now - askedAt < PENDING_BLOB_MS) needed.add(digest);
		else if (!needed.has(digest)) await session.discard(files.blob(digest));
	}
	return needed;
}
