import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Digest, parseDigest } from '../digest.ts';
import { TAR_END, tarHeaderOf, tarPadding } from '../layers/tar-writer.ts';
import { readManifest } from '../manifests/image-manifest.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import { familiarText, parseImageReference } from '../names/image-reference.ts';
import type { ImageStore, StoredImage } from '../store/image-store.ts';
import { isStored } from '../store/store-session.ts';

/** An image cannot be written to an archive: the store has unpacked its layers and not kept them as they came. */
export class LayersNotKeptError extends Error {
	override readonly name = 'LayersNotKeptError';
	/** The image. */
	readonly id: Digest;

	constructor({ id, names }: StoredImage) {
		super(
			`the layers of ${names[0]?.name ?? id} were not kept as they came, so the image cannot be written with the same digests`,
		);
		this.id = id;
	}
}

/** An image to write, and under which names. */
export interface ImageToSave {
	readonly image: StoredImage;
	/** As they stand in the store; empty for none. */
	readonly names: readonly string[];
}

const READ_BYTES = 256 << 10;

/**
 * The bytes of an archive with these images: an OCI image layout that also has the `manifest.json` of Docker, so that
 * `docker load`, `podman load` and {@link loadImages} read it. The same images give the same bytes. Rejects with a
 * {@link LayersNotKeptError} before the first byte.
 */
export async function* saveImages(store: ImageStore, images: readonly ImageToSave[]): AsyncGenerator<Buffer> {
	const blobs = new Set<Digest>();
	for (const { image } of images) {
		const digests = [image.manifestDigest, image.id, ...image.layers.map(({ digest }) => digest)];
		for (const digest of digests) {
			if (!(await isStored(store.folders.blob(digest)))) throw new LayersNotKeptError(image);
			blobs.add(digest);
		}
	}
	yield* document('oci-layout', { imageLayoutVersion: '1.0.0' });
	yield* document('index.json', await indexOfImages(store, images));
	yield* document('manifest.json', images.map(dockerEntry));
	for (const digest of [...blobs].sort()) yield* blob(store, digest);
	yield TAR_END;
}

async function indexOfImages(store: ImageStore, images: readonly ImageToSave[]): Promise<object> {
	const manifests = [];
	for (const { image, names } of images) {
		const digest = image.manifestDigest;
		const bytes = await store.readBlob(digest);
		const descriptor = { mediaType: readManifest(bytes).mediaType, digest, size: bytes.length };
		if (names.length === 0) manifests.push(descriptor);
		for (const name of names) manifests.push({ ...descriptor, annotations: annotationsOf(name) });
	}
	return { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests };
}

function annotationsOf(name: string): Readonly<Record<string, string>> {
	const { tag } = parseImageReference(name);
	return { 'io.containerd.image.name': name, ...(tag && { 'org.opencontainers.image.ref.name': tag }) };
}

function dockerEntry({ image, names }: ImageToSave): object {
	return {
		Config: blobPath(image.id),
		// Docker accepts tags only.
		RepoTags: names.flatMap((name) => {
			const reference = parseImageReference(name);
			return reference.digest === undefined ? [familiarText(reference)] : [];
		}),
		Layers: image.layers.map(({ digest }) => blobPath(digest)),
	};
}

function blobPath(digest: Digest): string {
	const { algorithm, hex } = parseDigest(digest);
	return `blobs/${algorithm}/${hex}`;
}

function* document(path: string, value: unknown): Generator<Buffer> {
	const bytes = Buffer.from(JSON.stringify(value));
	yield tarHeaderOf({ kind: 'file', path, mode: 0o644, size: bytes.length });
	yield bytes;
	yield tarPadding(bytes.length);
}

async function* blob(store: ImageStore, digest: Digest): AsyncGenerator<Buffer> {
	const file = store.folders.blob(digest);
	const { size } = await stat(file);
	yield tarHeaderOf({ kind: 'file', path: blobPath(digest), mode: 0o644, size });
	yield* createReadStream(file, { highWaterMark: READ_BYTES });
	yield tarPadding(size);
}
