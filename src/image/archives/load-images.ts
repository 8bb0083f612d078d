import { createReadStream } from 'node:fs';
import { removeTree } from '../../base/files/remove-tree.ts';
import type { Digest } from '../digest.ts';
import { unpackLayer } from '../layers/unpack-layer.ts';
import { type Descriptor, ManifestError } from '../manifests/document.ts';
import { chooseManifest, type ImageManifest, readManifest } from '../manifests/image-manifest.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import type { Platform } from '../manifests/platform.ts';
import { pullReference, referenceText } from '../names/image-reference.ts';
import { MergedView, viewLayer } from '../root/merged-view.ts';
import type { ImageStore, StoredImage } from '../store/image-store.ts';
import { type ArchivedImage, ArchiveFiles } from './archive-files.ts';
import { dockerImages } from './docker-archive.ts';

/** How images are loaded. */
export interface LoadOptions {
	/** Which image of an index is loaded. */
	readonly platform: Platform;
	readonly signal?: AbortSignal;
}

/** An image of the store that an archive had. */
export interface LoadedImage {
	readonly image: StoredImage;
	/** The whole names that the archive gives it. */
	readonly names: readonly string[];
}

/**
 * Adds the images of an archive to the store: an OCI image layout, or what `docker save` and `podman save` write, as a
 * tar archive, plain or compressed. An archive is as hostile as a layer: it is unpacked like one into a folder of the
 * session, and its links are resolved inside of that folder. Images with errors are not added; those before them are.
 */
export async function loadImages(
	store: ImageStore,
	archive: AsyncIterable<Uint8Array>,
	options: LoadOptions,
): Promise<readonly LoadedImage[]> {
	const root = store.draft();
	try {
		const policy = { ownership: 'record', setId: 'strip' } as const;
		const request = { root, digest: undefined, diffId: undefined, policy, signal: options.signal };
		const { marks } = await unpackLayer(archive, request);
		const files = new ArchiveFiles(root, new MergedView([viewLayer(root, marks)]));
		const images = files.has('index.json')
			? layoutImages(files, options.platform)
			: await dockerImages(files);
		const loaded: LoadedImage[] = [];
		for (const image of images) loaded.push(await addImage(store, image, options.signal));
		return loaded;
	} finally {
		await removeTree(root);
	}
}

async function addImage(
	store: ImageStore,
	image: ArchivedImage,
	signal: AbortSignal | undefined,
): Promise<LoadedImage> {
	const { names, layerFiles, ...documents } = image;
	const texts = names.map((name) => referenceText(pullReference(name)));
	const stored = await store.add({
		...documents,
		name: texts[0],
		access: { everyPod: true, secrets: [], serviceAccounts: [] },
		openLayer: async ({ digest }) => {
			const file = layerFiles.get(digest);
			if (file === undefined) throw new ManifestError(`the archive has no layer ${digest}`);
			return createReadStream(file, { highWaterMark: READ_BYTES });
		},
		...(signal && { signal }),
	});
	for (const name of texts.slice(1)) await store.tag(stored.id, name);
	return { image: (await store.find(stored.id)) ?? stored, names: texts };
}

const READ_BYTES = 256 << 10;

/** The images of an OCI image layout, one for each name. */
function layoutImages(files: ArchiveFiles, platform: Platform): readonly ArchivedImage[] {
	const index = readManifest(files.document('index.json'), MEDIA_TYPES.index);
	if (index.kind !== 'index') throw new ManifestError('index.json is not an index');
	// Some programs write an index with an image for each platform as index.json itself: then no name differs.
	const groups = Map.groupBy(index.manifests, (descriptor) => nameOf(descriptor) ?? '');
	return [...groups].map(([name, manifests]) => {
		const [only] = manifests;
		const chosen =
			manifests.length === 1 && only ? only : chooseManifest({ ...index, manifests }, platform, 'index.json');
		return { ...layoutImage(files, chosen, platform), names: name === '' ? [] : [name] };
	});
}

function layoutImage(files: ArchiveFiles, descriptor: Descriptor, platform: Platform): ArchivedImage {
	const bytes = files.blob(descriptor.digest);
	const manifest = readManifest(bytes, descriptor.mediaType);
	if (manifest.kind === 'index') {
		const image = layoutImage(files, chooseManifest(manifest, platform, descriptor.digest), platform);
		return {
			...image,
			target: descriptor.digest,
			documents: new Map([[descriptor.digest, bytes], ...image.documents]),
		};
	}
	const { config } = manifest;
	return {
		names: [],
		target: descriptor.digest,
		manifest: { digest: descriptor.digest, mediaType: manifest.mediaType },
		documents: new Map([
			[descriptor.digest, bytes],
			[config.digest, files.blob(config.digest)],
		]),
		layerFiles: layerFilesOf(files, manifest),
	};
}

function layerFilesOf(files: ArchiveFiles, { layers }: ImageManifest): ReadonlyMap<Digest, string | Buffer> {
	return new Map(layers.map(({ digest }) => [digest, files.fileOf(files.blobPath(digest))]));
}

/** The name of an image in an index: containerd's and Docker's annotation, or the layout's own if it is a full name. */
function nameOf({ annotations = {} }: Descriptor): string | undefined {
	const name = annotations['io.containerd.image.name'];
	const ref = annotations['org.opencontainers.image.ref.name'];
	return name ?? (ref !== undefined && /[/:]/.test(ref) ? ref : undefined);
}
