import { statSync } from 'node:fs';
import { unlink, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { systemReason } from '../../base/files/folders.ts';
import { messageOf } from '../../base/message-of.ts';
import { calledAs } from '../../cli/called-as.ts';
import { CommandError } from '../../cli/context.ts';
import { HintedError } from '../../cli/errors.ts';
import type {
	ArchivedNames,
	ArchiveTarget,
	ImageArchive,
	ImageName,
	ImageProgress,
	LocalImage,
	LocalImages,
	NamedTarget,
} from '../../cli/images/local-images.ts';
import { type ImageToSave, LayersNotKeptError, saveImages } from '../../image/archives/save-images.ts';
import {
	familiarText,
	type ImageReference,
	InvalidImageNameError,
	pullReference,
	referenceText,
} from '../../image/names/image-reference.ts';
import { removePushedTag } from '../../image/registry-server/image-names.ts';
import type { ImageStore, StoredImage } from '../../image/store/image-store.ts';
import { usedBytesIn } from '../../image/store/store-usage.ts';
import { type ImageAccess, imageStoreFolder } from '../../runtime/sandbox/image-access.ts';
import { containerOfRoot } from '../../runtime/sandbox/image-volumes.ts';
import { type ImageWorker, WorkerError } from '../../runtime/sandbox/worker/image-worker.ts';
import { checkReadable, writeArchive } from './archive-files.ts';
import { machineImages, openMachineStore } from './machine-images.ts';

/** Where the images are. */
export interface StoreImagesOptions {
	readonly imageFolder: string;
	readonly registriesPath: string;
	readonly clock: Clock;
}

/** The {@link LocalImages} in a store of the runtime `sandbox`. Opens the store when it is first needed. */
export class StoreImages implements LocalImages {
	readonly #options: StoreImagesOptions;
	#access: Promise<ImageAccess> | undefined;
	#store: Promise<ImageStore> | undefined;
	#worker: ImageWorker | undefined;
	#isAborted = false;
	#ending: Promise<void> | undefined;

	constructor(options: StoreImagesOptions) {
		this.#options = options;
	}

	async list(): Promise<readonly LocalImage[]> {
		if (!this.#exists) return [];
		const store = await this.#opened();
		const roots = Map.groupBy(await store.roots.list(), ({ imageId }) => imageId);
		return (await store.list()).map((image) =>
			localImageOf(
				image,
				// The store prefixes ids with a hash of their owner.
				[...new Set((roots.get(image.id) ?? []).map(({ id }) => containerOfRoot(id)))].map((id) =>
					id.slice(id.indexOf('_') + 1),
				),
			),
		);
	}

	parse(text: string): ImageName {
		try {
			return imageNameOf(pullReference(text));
		} catch (error) {
			throw error instanceof InvalidImageNameError ? new CommandError(error.problem) : error;
		}
	}

	async pull({ full }: ImageName, onProgress: (progress: ImageProgress) => void): Promise<void> {
		await this.#work((worker) => worker.call('pull', { image: full, pullSecrets: [] }, onProgress));
	}

	async load(archive: ImageArchive): Promise<readonly ArchivedNames[]> {
		const path = 'path' in archive ? resolve(archive.path) : (await this.#opened()).draft();
		if ('path' in archive) checkReadable(archive.path);
		else await writeFile(path, archive.bytes, { mode: 0o600, flag: 'wx' });
		const name = 'path' in archive ? archive.path : 'standard input';
		const loaded = await this.#work((worker) =>
			worker.call('load', { path }).catch((error: unknown) => {
				// A hint is about the machine, and not about the archive.
				const isOfArchive = error instanceof WorkerError && error.hint === undefined && !this.#isAborted;
				throw isOfArchive ? new Error(`${name} cannot be loaded: ${error.message}`) : error;
			}),
		);
		if (!('path' in archive)) await unlink(path);
		return loaded.map(({ id, names }) => ({
			id,
			names: names.map((name) => imageNameOf(pullReference(name))),
		}));
	}

	async save(images: readonly ArchivedNames[], to: ArchiveTarget): Promise<void> {
		const store = await this.#opened();
		const saved: ImageToSave[] = [];
		for (const { id, names } of images) {
			const image = await store.find(id);
			if (!image) throw new CommandError(`No such image: ${id}`);
			saved.push({ image, names: names.map(({ full }) => full) });
		}
		try {
			await writeArchive(saveImages(store, saved), to);
		} catch (error) {
			if (!(error instanceof LayersNotKeptError)) throw error;
			throw new HintedError(
				new CommandError(error.message),
				`pull it again with: ${calledAs('images pull NAME')}`,
			);
		}
	}

	async tag(id: string, { full }: ImageName): Promise<void> {
		await (await this.#opened()).tag(id, full);
	}

	async untag({ full }: ImageName): Promise<void> {
		await (await this.#opened()).untag(full);
	}

	async unpublish({ full }: ImageName): Promise<boolean> {
		return this.#exists && (await removePushedTag(await this.#opened(), pullReference(full)));
	}

	async remove(ids: readonly string[]): Promise<void> {
		if (this.#exists) await (await this.#opened()).remove(ids);
	}

	async usedBytes(): Promise<number> {
		return this.#exists ? await usedBytesIn((await this.#opened()).folders) : 0;
	}

	abort(): void {
		this.#isAborted = true;
		this.#ending ??= this.#worker?.stop();
	}

	async close(): Promise<void> {
		await (this.#ending ?? this.#worker?.stop());
		const store = await this.#store?.catch(() => undefined);
		// Removes what the worker has left.
		if (this.#isAborted) await store?.sweep();
		await store?.close();
	}

	/** The store is made by the first pull only. */
	get #exists(): boolean {
		if (this.#store !== undefined) return true;
		const folder = imageStoreFolder(this.#options.imageFolder);
		try {
			return statSync(folder, { throwIfNoEntry: false }) !== undefined;
		} catch (error) {
			throw new CommandError(`the images cannot be used: ${folder}: ${systemReason(error)}`);
		}
	}

	/** Has the worker perform a call. Rejects with an error for the user. */
	async #work<T>(call: (worker: ImageWorker) => Promise<T>): Promise<T> {
		// The store is made, or refused, in this process, whose error says what to do.
		await this.#opened();
		if (this.#isAborted) throw new CommandError('interrupted');
		try {
			this.#worker ??= (await this.#granted()).worker();
			return await call(this.#worker);
		} catch (error) {
			const failure = new CommandError(messageOf(error));
			const hint = error instanceof WorkerError ? error.hint : undefined;
			throw hint === undefined ? failure : new HintedError(failure, hint);
		}
	}

	#opened(): Promise<ImageStore> {
		this.#store ??= this.#open();
		return this.#store;
	}

	async #open(): Promise<ImageStore> {
		return await openMachineStore(await this.#granted(), this.#options.imageFolder);
	}

	#granted(): Promise<ImageAccess> {
		this.#access ??= machineImages({ ...this.#options, keepsBlobs: true, onError: warn });
		return this.#access;
	}
}

function localImageOf(
	{ id, names, unpackedBytes, addedAt, lastUsedAt }: StoredImage,
	containers: readonly string[],
): LocalImage {
	return {
		id,
		names: names.map(
			({ name, targetDigest }): NamedTarget => ({
				...imageNameOf(pullReference(name)),
				target: targetDigest,
			}),
		),
		sizeBytes: unpackedBytes,
		addedAt,
		lastUsedAt,
		containers,
	};
}

function imageNameOf(reference: ImageReference): ImageName {
	const { domain, path, tag, digest } = reference;
	return {
		full: referenceText(reference),
		familiar: familiarText(reference),
		repository: familiarText({ domain, path }),
		path,
		tag,
		digest,
	};
}

function warn(error: unknown): void {
	process.stderr.write(`Warning: ${messageOf(error)}\n`);
}
