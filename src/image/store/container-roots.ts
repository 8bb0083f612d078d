import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../../base/files/remove-tree.ts';
import type { Digest } from '../digest.ts';
import type { LayerMarks } from '../layers/layer-marks.ts';
import { copyRoot } from '../root/copy-root.ts';
import type { LayerStore } from './layer-store.ts';
import { mountsBelow } from './mounts.ts';
import {
	type ContainerRecord,
	type LayerRecord,
	readContainerRecords,
	readImageRecord,
	readLayerRecord,
} from './records.ts';
import type { StoreFolders } from './store-folders.ts';
import type { StoreSession } from './store-session.ts';

/** What the roots need of the store. */
export interface ContainerRootsOptions {
	readonly folders: StoreFolders;
	readonly session: StoreSession;
	readonly layers: LayerStore;
	/** Calls a short act while this process holds the lock of the store. */
	readonly locked: <T>(act: () => Promise<T>) => Promise<T>;
}

/** A root to make. */
export interface RootRequest {
	readonly containerId: string;
	/** See {@link ContainerRecord}. */
	readonly owner: string;
	readonly imageId: Digest;
	/** For copies: see {@link copyRoot}. */
	readonly setId: 'keep' | 'strip';
	readonly signal?: AbortSignal;
}

/** A root file system that the native helper mounts. */
export interface OverlayRoot {
	/** The folders of the layers, uppermost first: overlay's option `lowerdir`. */
	readonly lowers: readonly string[];
	readonly upper: string;
	readonly work: string;
	/** Where to mount it. */
	readonly merged: string;
}

/** A root file system that is a folder with a copy. */
export interface CopiedRoot {
	readonly merged: string;
	/** What Node cannot set on the copy; the native helper applies it if there is one. */
	readonly marks: LayerMarks;
}

/** The roots of containers. While a root exists, the store keeps its layers, whatever happens to the image. */
export class ContainerRoots {
	readonly #options: ContainerRootsOptions;

	constructor(options: ContainerRootsOptions) {
		this.#options = options;
	}

	/** Whether overlay can mount the layers of an image. False without a helper, if a layer hides files of others. */
	async isMountable(imageId: Digest): Promise<boolean> {
		const image = await readImageRecord(this.#options.folders, imageId);
		const visible = await this.#visible((image?.layers ?? []).map(({ chainId }) => chainId));
		return visible.length > 0 && visible.every(({ isMountable }) => isMountable);
	}

	/** Makes the folders for an overlay. The image must be mountable. */
	async createOverlay(request: Omit<RootRequest, 'setId'>): Promise<OverlayRoot> {
		const { folders, layers } = this.#options;
		const folder = folders.container(request.containerId);
		const chainIds = await this.#create(request, async (draft) => {
			// The container's root folder has the mode of `upper`.
			for (const [name, mode] of [
				['upper', 0o755],
				['work', 0o700],
				['merged', 0o700],
			] as const)
				await mkdir(join(draft, name), { mode });
		});
		const visible = await this.#visible(chainIds);
		return {
			lowers: visible.map(({ chainId }) => layers.filesOf(chainId)),
			upper: join(folder, 'upper'),
			work: join(folder, 'work'),
			merged: join(folder, 'merged'),
		};
	}

	/** The layers that can be seen, uppermost first. Overlay does not ask whether the root of a layer is opaque. */
	async #visible(chainIds: readonly Digest[]): Promise<readonly LayerRecord[]> {
		const visible: LayerRecord[] = [];
		for (const chainId of chainIds.toReversed()) {
			const record = await readLayerRecord(this.#options.folders, chainId);
			if (!record) throw new Error(`no layer ${chainId}`);
			visible.push(record);
			if (record.hidesAllBelow) break;
		}
		return visible;
	}

	/** Makes a root by copying what the layers show. Rejects with ENOSPC if the disk is full; nothing then remains. */
	async createCopy(request: RootRequest): Promise<CopiedRoot> {
		const { folders, layers } = this.#options;
		let marks: LayerMarks = NO_MARKS;
		await this.#create(request, async (draft, chainIds) => {
			const target = join(draft, 'merged');
			const { setId, signal } = request;
			if (chainIds.length === 0) await mkdir(target, { mode: 0o755 });
			else marks = await copyRoot(await layers.view(chainIds), { target, setId, signal });
		});
		return { merged: join(folders.container(request.containerId), 'merged'), marks };
	}

	/**
	 * Removes a root; does nothing if there is none. Rejects if something is mounted in it: the removal would delete the
	 * files of volumes.
	 */
	async remove(containerId: string): Promise<void> {
		const { folders, session } = this.#options;
		const folder = folders.container(containerId);
		const mounted = await mountsBelow(folder);
		if (mounted.length > 0) throw new Error(`${mounted[0]} is still mounted`);
		await session.discard(folder);
		await session.emptyTrash();
	}

	/** The roots of all containers. */
	list(): Promise<readonly ContainerRecord[]> {
		return readContainerRecords(this.#options.folders);
	}

	/** The ids of the images of all containers. */
	async imagesInUse(): Promise<ReadonlySet<Digest>> {
		return new Set((await this.list()).map(({ imageId }) => imageId));
	}

	async #create(
		{ containerId, owner, imageId }: Omit<RootRequest, 'setId'>,
		fill: (draft: string, chainIds: readonly Digest[]) => Promise<void>,
	): Promise<readonly Digest[]> {
		const { folders, session, locked } = this.#options;
		const folder = folders.container(containerId);
		const { chainIds, release } = await locked(async () => {
			const image = await readImageRecord(folders, imageId);
			if (!image) throw new Error(`no image ${imageId}`);
			const needed = image.layers.map(({ chainId }) => chainId);
			return { chainIds: needed, release: await session.lease([imageId, ...needed]) };
		});
		const draft = session.draft();
		try {
			await mkdir(draft, { mode: 0o700 });
			await fill(draft, chainIds);
			const record: ContainerRecord = { id: containerId, owner, imageId, chainIds };
			await writeFile(join(draft, 'container.json'), JSON.stringify(record), { mode: 0o600 });
			await session.adopt(draft, folder);
		} catch (error) {
			await removeTree(draft);
			throw error;
		} finally {
			await release();
		}
		return chainIds;
	}
}

const NO_MARKS: LayerMarks = {
	whiteouts: [],
	opaques: [],
	implied: [],
	owners: new Map(),
	xattrs: new Map(),
};
