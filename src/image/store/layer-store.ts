import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';
import type { Digest } from '../digest.ts';
import { type LayerFiles, type LayerMarks, readMarks, writeMarks } from '../layers/layer-marks.ts';
import type { UnpackPolicy } from '../layers/layer-unpacker.ts';
import type { LayerLimits } from '../layers/limits.ts';
import { type UnpackedLayer, unpackLayer } from '../layers/unpack-layer.ts';
import { MergedView, viewLayer } from '../root/merged-view.ts';
import { settleLayer } from '../root/settle-layer.ts';
import { FileLock } from './file-lock.ts';
import { type LayerRecord, type LayerRef, readLayerRecord } from './records.ts';
import { SharedTasks } from './shared-tasks.ts';
import type { StoreFolders } from './store-folders.ts';
import { isStored, type StoreSession } from './store-session.ts';

/** How the store unpacks layers. */
export interface LayerStoreOptions {
	readonly folders: StoreFolders;
	readonly session: StoreSession;
	readonly clock: Clock;
	readonly policy: UnpackPolicy;
	readonly limits: Partial<LayerLimits>;
	readonly files: LayerFiles;
	/** Whether the blobs of layers are kept, so that images can be exported as they came. */
	readonly keepsBlobs: boolean;
	/** Waits until all files below a folder are on disk. */
	readonly sync: (folder: string) => Promise<void>;
	/** How many layers are downloaded and unpacked at once. */
	readonly parallel: number;
}

/** A layer that an image needs. */
export interface WantedLayer {
	readonly layer: LayerRef;
	/** The layer directly below it. */
	readonly parent: WantedLayer | undefined;
	/** Opens the blob of the layer: called once, unless the store has the layer or its blob. */
	readonly open: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;
	readonly onProgress: ((packedBytes: number) => void) | undefined;
}

/** The unpacked layers: folders by chain id, each whole or absent. */
export class LayerStore {
	readonly #options: LayerStoreOptions;
	readonly #tasks = new SharedTasks<LayerRecord>();
	readonly #blobs = new SharedTasks<void>();
	readonly #limit: ConcurrencyLimit;

	constructor(options: LayerStoreOptions) {
		this.#options = options;
		this.#limit = new ConcurrencyLimit(options.parallel);
	}

	/**
	 * Makes a layer and all layers below it available. Each is downloaded once for all that need it at the same time,
	 * in this process and in others. The caller has leased the chain ids.
	 */
	async ensure(wanted: WantedLayer, signal?: AbortSignal): Promise<LayerRecord> {
		const { chainId } = wanted.layer;
		const present = await readLayerRecord(this.#options.folders, chainId);
		const record =
			present ?? (await this.#tasks.run(chainId, (shared) => this.#obtain(wanted, shared), signal));
		if (this.#options.keepsBlobs) await this.#keepBlob(wanted, signal);
		return record;
	}

	/**
	 * Downloads the blob of a layer that was unpacked from another blob, such as one with another compression, or that
	 * was not kept.
	 */
	async #keepBlob({ layer, open: openBlob }: WantedLayer, signal: AbortSignal | undefined): Promise<void> {
		const { folders, session } = this.#options;
		if (await isStored(folders.blob(layer.digest))) return;
		const fetch = async (shared: AbortSignal): Promise<void> =>
			session.writeBlob(layer.digest, await openBlob(shared));
		await this.#blobs.run(layer.digest, fetch, signal);
	}

	/** What the layers with these chain ids show together. They are given from the lowest to the uppermost. */
	async view(chainIds: readonly Digest[]): Promise<MergedView> {
		const layers = chainIds.toReversed().map(async (chainId) => {
			const folder = this.#options.folders.layer(chainId);
			const marks = await readFile(join(folder, MARKS), 'utf8');
			return viewLayer(join(folder, FILES), readMarks(marks));
		});
		return new MergedView(await Promise.all(layers));
	}

	/** Whether the folder of a layer shows nothing but its files: no marks of what it hides in those below. */
	async isPlain(chainId: Digest): Promise<boolean> {
		const text = await readFile(join(this.#options.folders.layer(chainId), MARKS), 'utf8');
		return readMarks(text).whiteouts.length === 0;
	}

	/** The folder with the files of a layer. */
	filesOf(chainId: Digest): string {
		return join(this.#options.folders.layer(chainId), FILES);
	}

	async #obtain(wanted: WantedLayer, signal: AbortSignal): Promise<LayerRecord> {
		const { folders, session, clock } = this.#options;
		const { chainId } = wanted.layer;
		const lock = await FileLock.acquire(folders.layerLock(chainId), clock, signal);
		const draft = session.draft();
		try {
			// Another process may have unpacked it in the meantime.
			const present = await readLayerRecord(folders, chainId);
			if (present) return present;
			await mkdir(draft, { mode: 0o700 });
			const unpacked = await this.#limit.run(() => this.#unpack(wanted, draft, signal));
			if (wanted.parent) await this.ensure(wanted.parent, signal);
			return await this.#complete(wanted, draft, unpacked);
		} finally {
			await removeTree(draft);
			lock.release();
		}
	}

	async #unpack({ layer, open: openBlob, onProgress }: WantedLayer, draft: string, signal: AbortSignal) {
		const { folders, session, keepsBlobs, policy, limits } = this.#options;
		const blob = folders.blob(layer.digest);
		const isKept = await isStored(blob);
		const source = isKept ? createReadStream(blob, { highWaterMark: READ_BYTES }) : await openBlob(signal);
		const copy = join(draft, 'blob');
		const isCopied = keepsBlobs && !isKept;
		const unpacked = await unpackLayer(isCopied ? copied(source, copy) : source, {
			root: join(draft, FILES),
			digest: layer.digest,
			diffId: layer.diffId,
			policy,
			limits,
			signal,
			onProgress,
		});
		if (isCopied) await session.adopt(copy, blob);
		return unpacked;
	}

	async #complete(
		{ layer, parent }: WantedLayer,
		draft: string,
		unpacked: UnpackedLayer,
	): Promise<LayerRecord> {
		const { folders, session, files, sync } = this.#options;
		const root = join(draft, FILES);
		const marks = await this.#settle(root, unpacked.marks, parent);
		const { contentBytes, entries } = unpacked;
		const isMountable = await files.applyMarks(root, marks);
		const record: LayerRecord = {
			chainId: layer.chainId,
			diffId: layer.diffId,
			contentBytes,
			entries,
			isMountable,
			hidesAllBelow: marks.opaques.includes(''),
		};
		await writeFile(join(draft, MARKS), writeMarks(marks), { mode: 0o600 });
		await writeFile(join(draft, 'layer.json'), JSON.stringify(record), { mode: 0o600 });
		await sync(draft);
		await session.adopt(draft, folders.layer(layer.chainId));
		return record;
	}

	async #settle(root: string, marks: LayerMarks, parent: WantedLayer | undefined): Promise<LayerMarks> {
		const isPlain = marks.whiteouts.length + marks.opaques.length + marks.implied.length === 0;
		if (isPlain) return marks;
		const below: Digest[] = [];
		for (let at: WantedLayer | undefined = parent; at; at = at.parent) below.unshift(at.layer.chainId);
		return settleLayer(root, marks, parent && (await this.view(below)));
	}
}

const FILES = 'fs';
const MARKS = 'marks.jsonl';
const READ_BYTES = 256 << 10;

/** Passes a blob on and writes it to a file, which is on disk before the last piece has been taken. */
async function* copied(source: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
	const file = await open(path, 'wx', 0o600);
	try {
		for await (const piece of source) {
			await file.writeFile(piece);
			yield piece;
		}
		await file.sync();
	} finally {
		await file.close();
	}
}
