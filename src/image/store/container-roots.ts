import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import type { Digest } from '../digest.ts';
import { bytePath } from '../layers/byte-path.ts';
import type { LayerFiles, LayerMarks } from '../layers/layer-marks.ts';
import { copyRoot } from '../root/copy-root.ts';
import type { LayerStore } from './layer-store.ts';
import { mountsBelow } from './mounts.ts';
import {
	type ContainerRecord,
	type LayerRecord,
	readContainerRecord,
	readContainerRecords,
	readImageRecord,
	readLayerRecord,
} from './records.ts';
import type { StoreFolders } from './store-folders.ts';
import { isStored, type StoreSession } from './store-session.ts';

/** What the roots need of the store. */
export interface ContainerRootsOptions {
	readonly folders: StoreFolders;
	readonly session: StoreSession;
	readonly clock: Clock;
	readonly layers: LayerStore;
	readonly files: LayerFiles;
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

/** A volume of a container that exists. */
export interface VolumeRequest {
	readonly containerId: string;
	readonly imageId: Digest;
	/** The path in the image. */
	readonly path: string;
	/** The name of its folder, unlike those of the other volumes of the container. */
	readonly name: string;
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
	/** What Node cannot set on the copy: attributes, which the native helper has applied if there is one, and owners. */
	readonly marks: LayerMarks;
}

/** The unit in which file systems give space to files. */
const BLOCK_BYTES = 4096;
/** How long the layers of an image stay leased after the last root was made of it. */
const HOLD_MS = 30_000;

interface Leased {
	readonly chainIds: readonly Digest[];
	readonly release: () => Promise<void>;
}

interface HeldImage {
	readonly leased: Promise<Leased>;
	users: number;
	end: Timer | undefined;
}

/** The roots of containers. While a root exists, the store keeps its layers, whatever happens to the image. */
export class ContainerRoots {
	readonly #options: ContainerRootsOptions;

	readonly #leases = new Map<Digest, HeldImage>();

	constructor(options: ContainerRootsOptions) {
		this.#options = options;
	}

	/** Whether overlay can mount the layers of an image. False without a helper, if a layer hides files of others. */
	async isMountable(imageId: Digest): Promise<boolean> {
		const image = await readImageRecord(this.#options.folders, imageId);
		const visible = await this.#visible((image?.layers ?? []).map(({ chainId }) => chainId));
		return visible.length > 0 && visible.every(({ isMountable }) => isMountable);
	}

	/** Makes the folders for an overlay, unless they exist. The image must be mountable. */
	async createOverlay(request: Omit<RootRequest, 'setId'>): Promise<OverlayRoot> {
		const { folders, layers } = this.#options;
		const folder = folders.container(request.containerId);
		const existing = await readContainerRecord(folders, request.containerId);
		const chainIds =
			existing?.chainIds ??
			(await this.#create(request, async (draft) => {
				for (const name of ['upper', 'work', 'merged']) await mkdir(join(draft, name), { mode: 0o700 });
				// The container's root folder has the mode of `upper`, whatever the umask of this process.
				await chmod(join(draft, 'upper'), 0o755);
			}));
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
		const { folders, layers, files } = this.#options;
		let marks: LayerMarks = NO_MARKS;
		await this.#create(request, async (draft, chainIds) => {
			const target = join(draft, 'merged');
			const { setId, signal } = request;
			if (chainIds.length === 0) await mkdir(target, { mode: 0o755 });
			else marks = await copyRoot(await layers.view(chainIds), { target, setId, signal });
			await files.applyMarks(target, marks);
		});
		return { merged: join(folders.container(request.containerId), 'merged'), marks };
	}

	/**
	 * The folder with the whole content of an image, for reading, kept until `remove`. Undefined if there is no such folder,
	 * because several layers show together: a copy is then needed.
	 */
	async createView(request: Omit<RootRequest, 'setId'>): Promise<string | undefined> {
		const { folders, layers } = this.#options;
		const existing = await readContainerRecord(folders, request.containerId);
		const image = existing ? undefined : await readImageRecord(folders, request.imageId);
		const chainIds = existing?.chainIds ?? image?.layers.map(({ chainId }) => chainId) ?? [];
		const [only, ...others] = await this.#visible(chainIds);
		if (!only || others.length > 0 || !(await layers.isPlain(only.chainId))) return undefined;
		if (!existing) await this.#create(request, async () => {});
		return layers.filesOf(only.chainId);
	}

	/**
	 * Makes a volume of a container, which is removed with it: a copy of the image's folder at a path, or an empty folder if
	 * the image has none there. May be repeated. Returns its path.
	 */
	async createVolume({ containerId, imageId, path, name, signal }: VolumeRequest): Promise<string> {
		const { folders, layers, files, session } = this.#options;
		const place = join(folders.container(containerId), name);
		if (await isStored(place)) return place;
		const image = await readImageRecord(folders, imageId);
		const view = await layers.view((image?.layers ?? []).map(({ chainId }) => chainId));
		const from = view.resolve(bytePath(path));
		const target = session.draft();
		try {
			if (from?.stats.isDirectory())
				await files.applyMarks(target, await copyRoot(view, { target, from, setId: 'keep', signal }));
			else await makeOpenFolder(target);
			await session.adoptForNow(target, place);
			return place;
		} catch (error) {
			await removeTree(target);
			throw error;
		}
	}

	/**
	 * The bytes that a container has written to its root, by a measurement of folders: those of the upper folder of an
	 * overlay, or what a copy has more than its layers. 0 if there is no root.
	 */
	async writtenBytes(containerId: string, measure: (folder: string) => Promise<number>): Promise<number> {
		const { folders } = this.#options;
		const folder = folders.container(containerId);
		const record = await readContainerRecord(folders, containerId);
		if (!record) return 0;
		if (await isStored(join(folder, 'upper'))) return await measure(join(folder, 'upper'));
		const copied = (await this.#visible(record.chainIds)).map(spaceOf).reduce((sum, bytes) => sum + bytes, 0);
		return Math.max(0, (await measure(join(folder, 'merged'))) - copied);
	}

	/**
	 * Removes a root; does nothing if there is none. Rejects if something is mounted in it: the removal would delete the
	 * files of volumes.
	 */
	async remove(containerId: string): Promise<void> {
		await this.#options.session.remove(await this.#unmounted(containerId));
	}

	/** As {@link remove}, but the content stays until the store empties its trash. */
	async discard(containerId: string): Promise<void> {
		await this.#options.session.discard(await this.#unmounted(containerId));
	}

	async #unmounted(containerId: string): Promise<string> {
		const folder = this.#options.folders.container(containerId);
		const mounted = await mountsBelow(folder);
		if (mounted.length > 0) throw new Error(`${mounted[0]} is still mounted`);
		return folder;
	}

	/** The roots of all containers. */
	list(): Promise<readonly ContainerRecord[]> {
		return readContainerRecords(this.#options.folders);
	}

	/** The ids of the images of all containers. */
	async imagesInUse(): Promise<ReadonlySet<Digest>> {
		return new Set((await this.list()).map(({ imageId }) => imageId));
	}

	/**
	 * Calls `use` with the layers of an image, which stay leased until no root was made of it for a while: a lease for each
	 * container would cost more than its folders.
	 */
	async #held<T>(imageId: Digest, use: (chainIds: readonly Digest[]) => Promise<T>): Promise<T> {
		const held = this.#leases.get(imageId) ?? { leased: this.#lease(imageId), users: 0, end: undefined };
		this.#leases.set(imageId, held);
		held.end?.cancel();
		held.users += 1;
		try {
			return await use((await held.leased).chainIds);
		} finally {
			held.users -= 1;
			if (held.users === 0)
				held.end = this.#options.clock.setTimer(HOLD_MS, () => void this.#release(imageId, held));
		}
	}

	async #lease(imageId: Digest): Promise<Leased> {
		const { folders, session, locked } = this.#options;
		return await locked(async () => {
			const image = await readImageRecord(folders, imageId);
			if (!image) throw new Error(`no image ${imageId}`);
			const chainIds = image.layers.map(({ chainId }) => chainId);
			return { chainIds, release: await session.lease([imageId, ...chainIds]) };
		});
	}

	async #release(imageId: Digest, held: HeldImage): Promise<void> {
		this.#leases.delete(imageId);
		try {
			await (await held.leased).release();
		} catch {
			// A lease that could not be given back ends with the session.
		}
	}

	/** Gives back the leases of images that are about to be removed, unless a root is in the making. */
	async forget(imageIds: readonly Digest[]): Promise<void> {
		for (const imageId of imageIds) {
			const held = this.#leases.get(imageId);
			if (!held || held.users > 0) continue;
			held.end?.cancel();
			await this.#release(imageId, held);
		}
	}

	/** Gives all leases back at once. No root may be in the making. */
	async close(): Promise<void> {
		for (const [imageId, held] of this.#leases) {
			held.end?.cancel();
			await this.#release(imageId, held);
		}
	}

	async #create(
		{ containerId, owner, imageId }: Omit<RootRequest, 'setId'>,
		fill: (draft: string, chainIds: readonly Digest[]) => Promise<void>,
	): Promise<readonly Digest[]> {
		const { folders, session } = this.#options;
		const draft = session.draft();
		return await this.#held(imageId, async (chainIds) => {
			try {
				await mkdir(draft, { mode: 0o700 });
				await fill(draft, chainIds);
				const record: ContainerRecord = { id: containerId, owner, imageId, chainIds };
				await writeFile(join(draft, 'container.json'), JSON.stringify(record), { mode: 0o600 });
				// No container outlives a power failure.
				await session.adoptForNow(draft, folders.container(containerId));
				return chainIds;
			} catch (error) {
				await removeTree(draft);
				throw error;
			}
		});
	}
}

/** Makes a folder with the usual mode, whatever the umask of this process. */
async function makeOpenFolder(path: string): Promise<void> {
	await mkdir(path, { mode: 0o700 });
	await chmod(path, 0o755);
}

const NO_MARKS: LayerMarks = {
	whiteouts: [],
	opaques: [],
	implied: [],
	owners: new Map(),
	xattrs: new Map(),
};

/** The most space that the files of a layer take, in blocks. */
function spaceOf({ contentBytes, entries }: LayerRecord): number {
	return contentBytes + entries * BLOCK_BYTES;
}
