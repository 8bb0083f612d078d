import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, digestOf } from '../digest.ts';
import { type Descriptor, type Fields, MAX_MANIFEST_BYTES, readDocument } from '../manifests/document.ts';
import { MAX_LAYERS } from '../manifests/image-manifest.ts';
import { compressionOf, MEDIA_TYPES } from '../manifests/media-types.ts';
import type { ArchivedImage, ArchiveFiles } from './archive-files.ts';

/**
 * The images of an archive as Docker before 25 and podman write it: `manifest.json` lists, for each image, the files
 * of its configuration and layers, and its names. Such an image has no manifest, so one is made.
 */
export async function dockerImages(files: ArchiveFiles): Promise<readonly ArchivedImage[]> {
	// The document is a list, and the reader of documents reads objects.
	const list = Buffer.concat([Buffer.from('{"images":'), files.document('manifest.json'), Buffer.from('}')]);
	const fields = readDocument(list, { what: 'manifest.json', maxBytes: MAX_MANIFEST_BYTES });
	const images: ArchivedImage[] = [];
	for (const image of fields.objects('images')) images.push(await dockerImage(files, image));
	return images;
}

async function dockerImage(files: ArchiveFiles, image: Fields): Promise<ArchivedImage> {
	const paths = image.texts('Layers') ?? [];
	if (paths.length > MAX_LAYERS)
		throw image.wrong('Layers', `has ${paths.length} layers; the maximum is 127`);
	const config = files.document(image.text('Config'));
	const layerFiles = new Map<Digest, string | Buffer>();
	const layers: Descriptor[] = [];
	for (const path of paths) {
		const file = files.fileOf(path);
		const layer = await describe(file);
		layerFiles.set(layer.digest, file);
		layers.push(layer);
	}
	const manifest = {
		schemaVersion: 2,
		mediaType: MEDIA_TYPES.manifest,
		config: { mediaType: MEDIA_TYPES.config, digest: digestOf(config), size: config.length },
		layers,
	};
	const bytes = Buffer.from(JSON.stringify(manifest));
	const digest = digestOf(bytes);
	return {
		names: image.texts('RepoTags') ?? [],
		target: digest,
		manifest: { digest, mediaType: manifest.mediaType },
		documents: new Map([
			[digest, bytes],
			[manifest.config.digest, config],
		]),
		layerFiles,
	};
}

const TYPES = { none: MEDIA_TYPES.layer, gzip: MEDIA_TYPES.gzipLayer, zstd: MEDIA_TYPES.zstdLayer };
const READ_BYTES = 256 << 10;

async function describe(file: string | Buffer): Promise<Descriptor> {
	const hash = createHash('sha256');
	let size = 0;
	let start = Buffer.alloc(0);
	for await (const piece of createReadStream(file, { highWaterMark: READ_BYTES })) {
		if (size === 0) start = piece;
		hash.update(piece);
		size += piece.length;
	}
	return { mediaType: TYPES[compressionOf(start)], digest: `sha256:${hash.digest('hex')}`, size };
}
