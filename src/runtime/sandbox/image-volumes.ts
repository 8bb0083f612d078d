import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { normalize } from 'node:path/posix';
import type { Mount } from '../../api/contract/container-config.ts';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import { bytePath, shownPath } from '../../image/layers/byte-path.ts';
import type { ImageStore } from '../../image/store/image-store.ts';
import type { FoundImage, ImageRecord } from '../../image/store/records.ts';
import { ContainerStartError } from '../contract.ts';
import type { ImageWorker } from './worker/image-worker.ts';

/** The parts of {@link ImageVolumes}. */
export interface ImageVolumesOptions {
	readonly store: ImageStore;
	readonly worker: Pick<ImageWorker, 'call'>;
	/** See ContainerRecord. */
	readonly owner: string;
	/** The id of the container's root in the store, which exists. */
	readonly rootId: string;
	find(image: string): Promise<FoundImage | undefined>;
}

/** What the image of the container says. */
export interface VolumeDefaults {
	readonly id: string;
	/** The paths that its VOLUME instructions name. */
	readonly volumes: readonly string[];
}

/** The file in the folder of a root with the number of images that are mounted in the container. */
const COUNT_FILE = 'image-volumes';
/** Far more than an image names; each is a mount. */
const MAX_VOLUMES = 100;

/**
 * What images contribute to the mounts of one container: volumes of the Pod with the content of an image, read-only, and
 * the paths that the image of the container declares as volumes. Each of those is a folder of its own with the content that
 * the image has there, and can be written also if the root cannot (containerd: `volumeMounts`). It is removed with the
 * container.
 */
export class ImageVolumes {
	readonly #options: ImageVolumesOptions;

	constructor(options: ImageVolumesOptions) {
		this.#options = options;
	}

	/** The mounts of the container, outer ones first. May be repeated. Rejects with ContainerStartError. */
	async mountsOf(mounts: readonly Mount[], image: VolumeDefaults): Promise<readonly Mount[]> {
		const own = await this.#declared(mounts, image);
		const resolved = await this.#resolved(mounts);
		if (own.length === 0) return resolved;
		return [...own, ...resolved].sort((a, b) => depthOf(a.containerPath) - depthOf(b.containerPath));
	}

	/** Removes what was made of images. The container has been removed. */
	async release(): Promise<void> {
		const { store, rootId } = this.#options;
		const path = join(store.folders.container(rootId), COUNT_FILE);
		const text = await readFile(path, 'utf8').catch(undefinedIfMissing);
		for (let i = 0; i < Number(text ?? 0); i += 1) await store.roots.remove(volumeRoot(rootId, i));
	}

	/** Volumes for the paths that the image declares and at which the Pod mounts nothing. */
	async #declared(mounts: readonly Mount[], { id, volumes }: VolumeDefaults): Promise<Mount[]> {
		const { worker, rootId } = this.#options;
		const taken = new Set(mounts.map(({ containerPath }) => placeOf(containerPath)));
		const paths = new Set(volumes.map(placeOf).filter((path) => path !== '/' && !taken.has(path)));
		const made: Mount[] = [];
		for (const containerPath of [...paths].slice(0, MAX_VOLUMES)) {
			const name = `volume-${made.length}`;
			const request = { containerId: rootId, imageId: id, path: containerPath, name };
			made.push({ ...WRITABLE, hostPath: await worker.call('copyVolume', request), containerPath });
		}
		return made;
	}

	/** The mounts with the folders of their images. */
	async #resolved(mounts: readonly Mount[]): Promise<readonly Mount[]> {
		const images = mounts.filter(({ image }) => image !== undefined);
		if (images.length === 0) return mounts;
		const { store, rootId } = this.#options;
		await writeFile(join(store.folders.container(rootId), COUNT_FILE), String(images.length), {
			mode: 0o600,
		});
		const resolved: Mount[] = [];
		for (const mount of mounts) {
			if (mount.image === undefined) resolved.push(mount);
			else resolved.push(await this.#imageMount(mount, mount.image, images.indexOf(mount)));
		}
		return resolved;
	}

	async #imageMount(mount: Mount, image: string, index: number): Promise<Mount> {
		const { subPath, containerPath } = mount;
		const found = await this.#options.find(image);
		if (!found) throw failed(image, 'it is not present');
		const place = subPath === '' ? '' : await this.#placeIn(image, found.record, subPath);
		return {
			...READ_ONLY,
			hostPath: await this.#folderOf(found.record, index),
			subPath: place,
			containerPath,
		};
	}

	/**
	 * The sub-path of an image, without links, which are resolved inside of the image. The shim would make a missing one, in
	 * the layer. As in containerd, only folders can be mounted.
	 */
	async #placeIn(image: string, { layers }: ImageRecord, subPath: string): Promise<string> {
		const view = await this.#options.store.layers.view(layers.map(({ chainId }) => chainId));
		const entry = view.resolve(bytePath(subPath));
		const what = `failed to ensure image subpath ${JSON.stringify(subPath)}`;
		if (!entry) throw failed(image, `${what}: it does not exist`);
		if (!entry.stats.isDirectory()) throw failed(image, `${what}: only directory subpath is supported`);
		return shownPath(entry.path);
	}

	/** The folder with the content of an image: its only layer, or a copy of what its layers show. */
	async #folderOf({ id: imageId }: ImageRecord, index: number): Promise<string> {
		const { store, worker, owner, rootId } = this.#options;
		const request = { containerId: volumeRoot(rootId, index), owner, imageId };
		void store.touch(imageId);
		const view = await store.roots.createView(request);
		if (view !== undefined) return view;
		const folder = store.folders.container(request.containerId);
		if (!existsSync(join(folder, 'container.json'))) await worker.call('copyRoot', request);
		return join(folder, 'merged');
	}
}

const WRITABLE = {
	subPath: '',
	readOnly: false,
	recursiveReadOnly: 'Disabled',
	propagation: 'None',
} as const;
const READ_ONLY = { readOnly: true, recursiveReadOnly: 'Enabled', propagation: 'None' } as const;

/** Begins with the word by which clients tell this failure from others (cri-api: `ErrImageVolumeMountFailed`). */
function failed(image: string, why: string): ContainerStartError {
	return new ContainerStartError(
		'CreateContainerError',
		`ImageVolumeMountFailed: image volume "${image}": ${why}`,
	);
}

/** The id of the root in the store that keeps an image volume of a container. */
function volumeRoot(rootId: string, index: number): string {
	return `${rootId}.v${index}`;
}

/** The id of the container's root for which a root was made. */
export function containerOfRoot(id: string): string {
	return id.replace(/\.v\d+$/, '');
}

function placeOf(path: string): string {
	return normalize(`/${path}`).replace(/(.)\/+$/, '$1');
}

function depthOf(path: string): number {
	return placeOf(path)
		.split('/')
		.filter((part) => part !== '').length;
}
