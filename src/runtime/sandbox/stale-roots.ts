/** What earlier servers have left in the folder of images: roots of containers that are gone, and trial containers. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import type { ImageStore } from '../../image/store/image-store.ts';
import type { ContainerRecord } from '../../image/store/records.ts';
import { containerOfRoot } from './image-volumes.ts';

/** Which roots stay, and where failures go. */
export interface StaleRootsOptions {
	/** The data folder of this server, and the ids of the roots of its containers. */
	readonly owner: string;
	readonly kept: ReadonlySet<string>;
	readonly clock: Clock;
	/** Receives why a root could not be discarded. */
	onError(error: unknown): void;
}

/** How long the data folder of another server must be missing: it may be on a disk that is not mounted now. */
const MISSING_MS = 24 * 3_600_000;
/** The file in the folder of a root that says since when its owner is missing, in ms since the epoch. */
const MISSING_SINCE = 'owner-missing-since';
const TRIAL = 'trial-';
/** A trial takes seconds. */
const LONGEST_TRIAL_MS = 3_600_000;

/**
 * Discards the roots of this server's earlier containers, and those whose owner has been missing at two starts a day apart.
 * Their content stays until the store empties its trash. Does not reject.
 */
export async function discardStaleRoots(store: ImageStore, options: StaleRootsOptions): Promise<void> {
	for (const record of await store.roots.list()) {
		try {
			if (await isStale(record, store.folders.container(record.id), options))
				await store.roots.discard(record.id);
		} catch (error) {
			options.onError(error);
		}
	}
}

async function isStale(
	{ id, owner }: ContainerRecord,
	folder: string,
	{ owner: own, kept, clock }: StaleRootsOptions,
): Promise<boolean> {
	if (owner === own) return !kept.has(containerOfRoot(id));
	const mark = join(folder, MISSING_SINCE);
	if (existsSync(owner)) {
		await rm(mark, { force: true });
		return false;
	}
	const since = await readFile(mark, 'utf8').catch(undefinedIfMissing);
	if (since === undefined) await writeFile(mark, String(clock.now()), { mode: 0o600 });
	return since !== undefined && clock.now() - Number(since) >= MISSING_MS;
}

/**
 * Calls `act` with the folders of a trial container, and removes them, also those that a process has left that was killed
 * in the middle. Process ids would not tell folders apart: other namespaces have the same ones.
 */
export async function withTrial<T>(
	imageFolder: string,
	clock: Clock,
	act: (folder: string) => Promise<T>,
): Promise<T> {
	for (const name of await readdir(imageFolder)) {
		const path = join(imageFolder, name);
		if (name.startsWith(TRIAL) && (await isOlderThan(path, clock.now() - LONGEST_TRIAL_MS)))
			await removeTree(path);
	}
	const folder = await mkdtemp(join(imageFolder, TRIAL));
	try {
		for (const name of ['lower', 'upper', 'work', 'root']) await mkdir(join(folder, name));
		return await act(folder);
	} finally {
		await removeTree(folder);
	}
}

async function isOlderThan(path: string, at: number): Promise<boolean> {
	const found = await stat(path).catch(undefinedIfMissing);
	return found !== undefined && found.mtimeMs < at;
}
