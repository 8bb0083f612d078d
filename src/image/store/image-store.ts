import { readFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { isMissing } from '../../base/files/system-error.ts';
import { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';
import type { Random } from '../../base/random.ts';
import { type Digest, DigestError, digestOf, parseDigest } from '../digest.ts';
import { type LayerFiles, NO_HELPER } from '../layers/layer-marks.ts';
import type { UnpackPolicy } from '../layers/layer-unpacker.ts';
import type { LayerLimits } from '../layers/limits.ts';
import { type Descriptor, ManifestError } from '../manifests/document.ts';
import { checkLayerCount, type ImageConfig, readImageConfig } from '../manifests/image-config.ts';
import { checkRunnable, type ImageManifest, readManifest } from '../manifests/image-manifest.ts';
import { ContainerRoots } from './container-roots.ts';
import { FileLock } from './file-lock.ts';
import { layerRefs } from './layer-refs.ts';
import { LayerStore, type WantedLayer } from './layer-store.ts';
import { mergeAccess, type PullAccess } from './pull-access.ts';
import {
	findImageRecord,
	type ImageRecord,
	type LayerRef,
	lastUsedAt,
	type RefRecord,
	readImageRecord,
	readImageRecords,
	readLayerRecord,
	readRefRecords,
	setLastUsedAt,
} from './records.ts';
import { Repositories } from './repositories/repositories.ts';
import { StoreFolders } from './store-folders.ts';
import { StoreSession, type StoreStep } from './store-session.ts';
import { sweep } from './sweep.ts';
import { syncFiles } from './sync-files.ts';

/**
 * The images of this machine: unpacked layers, shared by all images, and what is needed to run them.
 *
 * 1. Several processes may use one store. Every file is whole or absent at every moment, also after `kill -9` or a
 *    power failure: it is written in the folder of a session and then renamed. Records are written after what they
 *    name, and removed before it.
 * 2. Acts that read and then change what other processes rely on hold the lock of the store; downloads do not.
 * 3. What no record and no lease names is garbage, which {@link ImageStore.sweep} removes.
 *
 * Order of reading: store-folders.ts, records.ts, store-session.ts, this file, layer-store.ts, sweep.ts, repositories/.
 */

/** What the store needs. */
export interface ImageStoreOptions {
	/** The folder, which is created if it does not exist. */
	readonly root: string;
	readonly clock: Clock;
	readonly random: Random;
	readonly policy: UnpackPolicy;
	readonly limits?: Partial<LayerLimits>;
	/** The native helper. Without it, layers with whiteouts or foreign owners cannot be mounted by overlay. */
	readonly files?: LayerFiles;
	/** Whether the blobs of layers are kept, so that images can be exported as they came. Default false. */
	readonly keepsBlobs?: boolean;
	/** How many layers are downloaded and unpacked at once. Default 3. */
	readonly parallelLayers?: number;
	/**
	 * Removes a folder in which containers may have written as other users. Default: as the user of this process, who must
	 * then be root or the owner of all.
	 */
	readonly remove?: (path: string) => Promise<void>;
	/** Receives why content could not be removed that the store no longer has. Default: nothing is reported. */
	onError?(error: unknown): void;
	/** For tests. */
	readonly step?: StoreStep;
	readonly sync?: (folder: string) => Promise<void>;
}

/** An image to add. */
export interface ImageToAdd {
	/** The name, with all defaults filled in; undefined for an image without a name. */
	readonly name: string | undefined;
	/** What the name refers to: an index, or the manifest itself. Default: the manifest. */
	readonly target?: Digest;
	readonly manifest: Pick<Descriptor, 'digest' | 'mediaType'>;
	/** The bytes of the manifest, of the configuration, and of the indexes that led to them. */
	readonly documents: ReadonlyMap<Digest, Uint8Array>;
	/** Opens the blob of a layer. Called only for layers that the store does not have. */
	readonly openLayer: (layer: Descriptor, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
	readonly access: PullAccess;
	readonly signal?: AbortSignal;
	/** Called as the bytes of a layer arrive. */
	readonly onProgress?: (layer: Descriptor, packedBytes: number) => void;
}

/** An image of the store. */
export interface StoredImage extends ImageRecord {
	/** Its names with the digests that registries give them. */
	readonly names: readonly Pick<RefRecord, 'name' | 'targetDigest'>[];
	/** In ms since the epoch. */
	readonly lastUsedAt: number;
	/** The length of the files of its layers. Layers of several images count for each. */
	readonly unpackedBytes: number;
}

/** A handle to the store. Close it at the end. */
export class ImageStore {
	readonly folders: StoreFolders;
	readonly layers: LayerStore;
	readonly roots: ContainerRoots;
	readonly repositories: Repositories;
	readonly #options: ImageStoreOptions;
	readonly #session: StoreSession;
	/** Acts of this process wait for each other without polling the lock. */
	readonly #turn = new ConcurrencyLimit(1);

	private constructor(options: ImageStoreOptions, folders: StoreFolders, session: StoreSession) {
		this.#options = options;
		this.folders = folders;
		this.#session = session;
		const files = options.files ?? NO_HELPER;
		this.layers = new LayerStore({
			folders,
			session,
			clock: options.clock,
			policy: options.policy,
			limits: options.limits ?? {},
			files,
			keepsBlobs: options.keepsBlobs ?? false,
			sync: options.sync ?? syncFiles,
			parallel: options.parallelLayers ?? 3,
		});
		this.roots = new ContainerRoots({
			folders,
			session,
			clock: options.clock,
			layers: this.layers,
			files,
			locked: (act) => this.#locked(act),
		});
		this.repositories = new Repositories({
			folders,
			session,
			clock: options.clock,
			locked: (act) => this.#locked(act),
		});
	}

	/** Opens the store, and removes what processes have left that ended in the middle of an act. */
	static async open(options: ImageStoreOptions): Promise<ImageStore> {
		const folders = new StoreFolders(options.root);
		const lock = await FileLock.acquire(folders.lock, options.clock);
		let session: StoreSession;
		try {
			session = StoreSession.begin({
				folders,
				random: options.random,
				step: options.step ?? (() => {}),
				remove: options.remove ?? removeTree,
				onError: (error) => options.onError?.(error),
			});
		} finally {
			lock.release();
		}
		const store = new ImageStore(options, folders, session);
		await store.sweep();
		return store;
	}

	/** Ends the use of the store. No call may be running. */
	async close(): Promise<void> {
		await this.roots.close();
		await this.#session.end();
	}

	/** A path for a temporary file or folder: it is removed when the process ends, however it ends. */
	draft(): string {
		return this.#session.draft();
	}

	/**
	 * Adds an image: stores its documents, downloads and unpacks the missing layers, and gives it its name. If the image
	 * is present, it only gets the name. Rejects with the errors of manifests, layers and `openLayer`; the layers that
	 * were complete by then stay until the next sweep.
	 */
	async add(image: ImageToAdd): Promise<StoredImage> {
		const { manifest, record } = this.#check(image);
		const chainIds = record.layers.map(({ chainId }) => chainId);
		const release = await this.#locked(() =>
			this.#session.lease([
				...image.documents.keys(),
				...chainIds,
				...record.layers.map(({ digest }) => digest),
			]),
		);
		try {
			for (const [digest, bytes] of image.documents) {
				if (!(await this.presentBlob(digest))) await this.#session.write(this.folders.blob(digest), bytes);
			}
			await this.#obtainLayers(image, manifest, record.layers);
			await this.#locked(() => this.#record(record, image));
		} finally {
			await release();
		}
		const stored = await this.find(record.id);
		if (!stored) throw new Error(`the image ${record.id} has been removed while it was added`);
		return stored;
	}

	/** The image with this id or name, with all names and sizes: see also {@link findImageRecord}. Undefined if the store does not have it. */
	async find(idOrName: string): Promise<StoredImage | undefined> {
		const found = await findImageRecord(this.folders, idOrName);
		return found && this.#stored(found.record, await readRefRecords(this.folders));
	}

	/** All images. */
	async list(): Promise<readonly StoredImage[]> {
		const refs = await readRefRecords(this.folders);
		const records = await readImageRecords(this.folders);
		return Promise.all(records.map((record) => this.#stored(record, refs)));
	}

	/** The configuration of an image. Rejects if the store does not have it. */
	async config(id: Digest): Promise<ImageConfig> {
		return readImageConfig(await this.readBlob(id));
	}

	/** A document of an image. Rejects if the store does not have it, and with a {@link DigestError} if it is damaged. */
	async readBlob(digest: Digest): Promise<Uint8Array> {
		const bytes = await readFile(this.folders.blob(digest));
		checkDigest(digest, bytes, 'the stored content');
		return bytes;
	}

	/** As {@link readBlob}, but undefined if the document is missing or damaged. */
	async presentBlob(digest: Digest): Promise<Uint8Array | undefined> {
		try {
			return await this.readBlob(digest);
		} catch (error) {
			if (isMissing(error) || error instanceof DigestError) return undefined;
			throw error;
		}
	}

	/** Records that an image is used now: garbage collection removes the least recently used images first. */
	async touch(id: Digest): Promise<void> {
		await setLastUsedAt(this.folders, id, this.#options.clock.now());
	}

	/** Gives an image another name, which then no longer means another image. */
	async tag(id: Digest, name: string): Promise<void> {
		await this.#locked(async () => {
			const record = await readImageRecord(this.folders, id);
			if (!record) throw new Error(`no image ${id}`);
			await this.#writeRef({ name, imageId: id, targetDigest: record.manifestDigest, documents: [] });
		});
	}

	/** Removes a name. The image stays, without a name if this was its last one. */
	async untag(name: string): Promise<void> {
		await this.#locked(() => this.#session.discard(this.folders.ref(name)));
		await this.#session.emptyTrash();
	}

	/**
	 * Removes images with all their names. Layers that other images, roots of containers or running pulls need stay.
	 * The caller decides whether an image may be removed that is in use.
	 */
	async remove(ids: readonly Digest[]): Promise<void> {
		await this.roots.forget(ids);
		await this.#locked(async () => {
			for (const { name, imageId } of await readRefRecords(this.folders))
				if (ids.includes(imageId)) await this.#session.discard(this.folders.ref(name));
			for (const id of ids) await this.#session.discard(this.folders.image(id));
		});
		await this.sweep();
	}

	/** Removes what no image, no repository, no root of a container and no running pull needs. */
	async sweep(): Promise<void> {
		await this.#locked(() => {
			const now = this.#options.clock.now();
			return sweep({ folders: this.folders, session: this.#session, now });
		});
		await this.#session.emptyTrash();
	}

	/** Removes the content of what was discarded. Does not reject. */
	async emptyTrash(): Promise<void> {
		await this.#session.emptyTrash();
	}

	/** Calls `act` while this process holds the lock of the store. `act` must be short. */
	#locked<T>(act: () => Promise<T>): Promise<T> {
		return this.#turn.run(async () => {
			const lock = await FileLock.acquire(this.folders.lock, this.#options.clock);
			try {
				return await act();
			} finally {
				lock.release();
			}
		});
	}

	/** Reads the documents of an image. Throws if they do not belong together, or cannot be run. */
	#check({ manifest: { digest, mediaType }, documents }: ImageToAdd) {
		for (const [each, content] of documents) checkDigest(each, content, 'a document of the image');
		const bytes = documents.get(digest) ?? NOTHING;
		const manifest = readManifest(bytes, mediaType);
		if (manifest.kind !== 'manifest') throw new ManifestError(`${digest} is an index, not a manifest`);
		checkRunnable(manifest);
		const id = manifest.config.digest;
		const configBytes = documents.get(id) ?? NOTHING;
		const config = readImageConfig(configBytes);
		checkLayerCount(manifest, config);
		const layers = layerRefs(manifest, config);
		const record = {
			id,
			manifestDigest: digest,
			layers,
			contentBytes: layers.reduce((sum, { size }) => sum + size, bytes.length + configBytes.length),
		};
		return { manifest, record };
	}

	async #obtainLayers(
		image: ImageToAdd,
		manifest: ImageManifest,
		layers: readonly LayerRef[],
	): Promise<void> {
		let parent: WantedLayer | undefined;
		const wanted: WantedLayer[] = [];
		for (const [i, layer] of layers.entries()) {
			const descriptor = manifest.layers[i];
			if (!descriptor) break;
			parent = {
				layer,
				parent,
				open: (signal) => image.openLayer(descriptor, signal),
				onProgress: image.onProgress && ((bytes) => image.onProgress?.(descriptor, bytes)),
			};
			wanted.push(parent);
		}
		// All must settle before the lease ends: a layer that is still being unpacked needs those below it.
		const failure = new AbortController();
		const signal = image.signal ? AbortSignal.any([image.signal, failure.signal]) : failure.signal;
		const results = await Promise.allSettled(
			wanted.map((each) =>
				this.layers.ensure(each, signal).catch((error: unknown) => {
					failure.abort(error);
					throw error;
				}),
			),
		);
		signal.throwIfAborted();
		for (const result of results) if (result.status === 'rejected') throw result.reason;
	}

	async #record(
		record: Omit<ImageRecord, 'addedAt' | 'access'>,
		{ name, access, target, documents }: ImageToAdd,
	): Promise<void> {
		const earlier = await readImageRecord(this.folders, record.id);
		const now = this.#options.clock.now();
		const repository = name?.replace(/@.*$/, '').replace(/:[^/:]*$/, '') ?? '';
		const complete: ImageRecord = {
			...record,
			addedAt: earlier?.addedAt ?? now,
			access: { ...earlier?.access, [repository]: mergeAccess(earlier?.access[repository], access) },
		};
		await this.#session.write(this.folders.image(record.id), JSON.stringify(complete));
		await setLastUsedAt(this.folders, record.id, now);
		if (name === undefined) return;
		const targetDigest = target ?? record.manifestDigest;
		await this.#writeRef({ name, imageId: record.id, targetDigest, documents: [...documents.keys()] });
	}

	async #writeRef(ref: Omit<RefRecord, 'pulledAt'>): Promise<void> {
		const record: RefRecord = { ...ref, pulledAt: this.#options.clock.now() };
		await this.#session.write(this.folders.ref(ref.name), JSON.stringify(record));
	}

	async #stored(record: ImageRecord, refs: readonly RefRecord[]): Promise<StoredImage> {
		const layers = await Promise.all(
			record.layers.map(({ chainId }) => readLayerRecord(this.folders, chainId)),
		);
		return {
			...record,
			names: refs.filter(({ imageId }) => imageId === record.id),
			lastUsedAt: await lastUsedAt(this.folders, record.id),
			unpackedBytes: layers.reduce((sum, layer) => sum + (layer?.contentBytes ?? 0), 0),
		};
	}
}

/** A missing document: no reader accepts it. */
const NOTHING = new Uint8Array();

/** Throws a {@link DigestError} unless the bytes have the digest. */
function checkDigest(digest: Digest, bytes: Uint8Array, what: string): void {
	if (digestOf(bytes, parseDigest(digest).algorithm) !== digest)
		throw new DigestError(`${what} does not have the digest ${digest}`);
}
