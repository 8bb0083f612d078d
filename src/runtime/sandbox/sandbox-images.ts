import { statfs } from 'node:fs/promises';
import { parseImageReference, repositoryText } from '../../image/names/image-reference.ts';
import type { ImageStore, StoredImage } from '../../image/store/image-store.ts';
import type { ImageDisk, RuntimeImage, RuntimeImages } from '../contract.ts';

/** The images of a store, of which `store` gives the handle once it is open. */
export class SandboxImages implements RuntimeImages {
	readonly #store: () => ImageStore;

	constructor(store: () => ImageStore) {
		this.#store = store;
	}

	async list(): Promise<readonly RuntimeImage[]> {
		const store = this.#store();
		const used = await store.roots.imagesInUse();
		return (await store.list()).map((image) => runtimeImageOf(image, used.has(image.id)));
	}

	async remove(id: string): Promise<void> {
		const store = this.#store();
		if ((await store.roots.imagesInUse()).has(id)) throw new Error(`the image ${id} is in use`);
		await store.remove([id]);
	}

	async disk(): Promise<ImageDisk> {
		const { bsize, blocks, bavail } = await statfs(this.#store().folders.root);
		return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize };
	}
}

function runtimeImageOf(
	{ id, names, unpackedBytes, addedAt, lastUsedAt }: StoredImage,
	isInUse: boolean,
): RuntimeImage {
	const digests = names.map(
		({ name, targetDigest }) => `${repositoryText(parseImageReference(name))}@${targetDigest}`,
	);
	return {
		id,
		tags: names.flatMap(({ name }) => (name.includes('@') ? [] : [name])),
		digests: [...new Set(digests)],
		sizeBytes: unpackedBytes,
		addedAt,
		lastUsedAt,
		isInUse,
	};
}
