import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt } from '../../base/attempt.ts';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import type { Digest } from '../digest.ts';
import type { PullAccess } from './pull-access.ts';
import { digestOfFileName, type StoreFolders } from './store-folders.ts';

/** The records of the store: JSON files that only {@link StoreSession.write} writes, so each is whole. */

/** A layer of an image. */
export interface LayerRef {
	/** The digest and size of its blob, as the manifest has them. */
	readonly digest: Digest;
	readonly size: number;
	readonly diffId: Digest;
	/** The digest that identifies the layer together with all layers below it (OCI image specification). */
	readonly chainId: Digest;
}

/** The record of an image. */
export interface ImageRecord {
	/** The image's id: the digest of its configuration. */
	readonly id: Digest;
	readonly manifestDigest: Digest;
	/** From the lowest to the uppermost. */
	readonly layers: readonly LayerRef[];
	/** The sizes of manifest, configuration and blobs of layers, as the CRI's runtimes report an image's size. */
	readonly contentBytes: number;
	/** When the image came into the store, in ms since the epoch. */
	readonly addedAt: number;
	/** Which Pods may use the image without a check at the registry, by repository. */
	readonly access: Readonly<Record<string, PullAccess>>;
}

/** The record of a name. */
export interface RefRecord {
	/** Such as `docker.io/library/bash:5`. */
	readonly name: string;
	readonly imageId: Digest;
	/** What the registry calls the name: the digest of the index, or of the manifest if there is no index. */
	readonly targetDigest: Digest;
	/** The documents with which the name was pulled: those of the image, and indexes. */
	readonly documents: readonly Digest[];
	readonly pulledAt: number;
}

/** The record of a layer's folder. */
export interface LayerRecord {
	readonly chainId: Digest;
	readonly diffId: Digest;
	/** The total length of its files. */
	readonly contentBytes: number;
	readonly entries: number;
	/** Whether overlay can mount the folder: its marks are applied, or it has none. */
	readonly isMountable: boolean;
	/** Whether nothing of the layers below is visible: its root folder is opaque. */
	readonly hidesAllBelow: boolean;
}

/** The record of a container's root. */
export interface ContainerRecord {
	readonly id: string;
	/** Whose it is, such as a data folder: several owners may share a store. */
	readonly owner: string;
	readonly imageId: Digest;
	readonly chainIds: readonly Digest[];
}

/** The record of an image; undefined if the store does not have it. */
export async function readImageRecord(folders: StoreFolders, id: Digest): Promise<ImageRecord | undefined> {
	return readRecord<ImageRecord>(folders.image(id));
}

/** The records of all images. */
export async function readImageRecords(folders: StoreFolders): Promise<readonly ImageRecord[]> {
	const ids = (await readdir(folders.images)).flatMap((name) => digestOfFileName(name) ?? []);
	const records = await Promise.all(ids.map((id) => readImageRecord(folders, id)));
	return records.filter((record) => record !== undefined);
}

/** The record of an image, and of the name by which it was found; undefined: it was found by its id. */
export interface FoundImage {
	readonly record: ImageRecord;
	readonly ref: RefRecord | undefined;
}

/** The image with this id or name, by the fewest reads; undefined if the store does not have it. */
export async function findImageRecord(
	folders: StoreFolders,
	idOrName: string,
): Promise<FoundImage | undefined> {
	const ref = idOrName.includes(':') ? await readRefRecord(folders, idOrName) : undefined;
	const id = ref?.imageId ?? idOrName;
	if (!ref && !/^sha(256|384|512):[0-9a-f]+$/.test(id)) return undefined;
	const record = await readImageRecord(folders, id);
	return record && { record, ref };
}

/** The record of a name; undefined if the store does not have it. */
async function readRefRecord(folders: StoreFolders, name: string): Promise<RefRecord | undefined> {
	return readRecord<RefRecord>(folders.ref(name));
}

/** The records of all names. */
export async function readRefRecords(folders: StoreFolders): Promise<readonly RefRecord[]> {
	const names = (await readdir(folders.refs)).filter((name) => name.endsWith('.json'));
	const records = await Promise.all(names.map((name) => readRecord<RefRecord>(join(folders.refs, name))));
	return records.filter((record) => record !== undefined);
}

/** The record of a layer; undefined if the store does not have the layer. */
export async function readLayerRecord(
	folders: StoreFolders,
	chainId: Digest,
): Promise<LayerRecord | undefined> {
	return readRecord<LayerRecord>(join(folders.layer(chainId), 'layer.json'));
}

/** The record of the root of a container; undefined if there is none. */
export async function readContainerRecord(
	folders: StoreFolders,
	id: string,
): Promise<ContainerRecord | undefined> {
	const text = await readFile(join(folders.container(id), 'container.json'), 'utf8').catch(
		undefinedIfMissing,
	);
	if (text === undefined) return undefined;
	// Unlike the other records it is not on disk when it is in its place: a power failure may have cut it off.
	return attempt(() => JSON.parse(text)) ?? { id, owner: '', imageId: '', chainIds: [] };
}

/** The records of the roots of all containers. One that a power failure has damaged has no owner. */
export async function readContainerRecords(folders: StoreFolders): Promise<readonly ContainerRecord[]> {
	const ids = await readdir(folders.containers);
	const records = await Promise.all(
		ids.map(
			async (id) => (await readContainerRecord(folders, id)) ?? { id, owner: '', imageId: '', chainIds: [] },
		),
	);
	return records;
}

/**
 * When an image was last used, in ms since the epoch. It is the time of the record's file: setting it cannot damage
 * the record, and losing it in a power failure makes the image look older at most.
 */
export async function lastUsedAt(folders: StoreFolders, id: Digest): Promise<number> {
	return (await stat(folders.image(id)).catch(undefinedIfMissing))?.mtimeMs ?? 0;
}

/** Sets when an image was last used. Does nothing if the store does not have the image. */
export async function setLastUsedAt(folders: StoreFolders, id: Digest, at: number): Promise<void> {
	await utimes(folders.image(id), at / 1000, at / 1000).catch(undefinedIfMissing);
}

async function readRecord<T>(path: string): Promise<T | undefined> {
	const text = await readFile(path, 'utf8').catch(undefinedIfMissing);
	return text === undefined ? undefined : JSON.parse(text);
}
