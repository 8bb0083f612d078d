import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../digest.ts';
import type { Descriptor } from '../manifests/document.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';

/** The documents and blobs of an image for tests, as a registry has them. */
export interface TestImage {
	readonly manifest: Descriptor;
	/** All content by digest: the manifest, the configuration and the layers. */
	readonly content: ReadonlyMap<string, Uint8Array>;
	readonly layers: readonly Descriptor[];
	readonly config: Descriptor;
}

/** What distinguishes a test image. */
export interface TestImageOptions {
	/** The uncompressed layers. They need not be tar archives, unless they will be unpacked. */
	readonly layers?: readonly Uint8Array[];
	readonly compression?: 'gzip' | 'zstd' | 'none';
	readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
	/** Fields of the configuration's `config`, such as Entrypoint. */
	readonly config?: Readonly<Record<string, unknown>>;
}

const LAYER_TYPES = { gzip: MEDIA_TYPES.gzipLayer, zstd: MEDIA_TYPES.zstdLayer, none: MEDIA_TYPES.layer };

/** Makes an image. */
export function testImage(options: TestImageOptions = {}): TestImage {
	const { layers = [Buffer.from('a layer')], compression = 'gzip' } = options;
	const { platform = { os: 'linux', architecture: 'amd64' }, config = {} } = options;
	const content = new Map<string, Uint8Array>();
	const add = (mediaType: string, bytes: Uint8Array): Descriptor => {
		const digest = digestOf(bytes);
		content.set(digest, bytes);
		return { mediaType, digest, size: bytes.byteLength };
	};
	const packed = layers.map((layer) => add(LAYER_TYPES[compression], compressed(layer, compression)));
	const diffIds = layers.map((layer) => digestOf(layer));
	const rootfs = { type: 'layers', diff_ids: diffIds };
	const described = add(MEDIA_TYPES.config, jsonBytes({ ...platform, config, rootfs }));
	const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: described, layers: packed };
	return {
		manifest: add(MEDIA_TYPES.manifest, jsonBytes(manifest)),
		content,
		layers: packed,
		config: described,
	};
}

/** An index over images, each for its platform. */
export function testIndex(
	images: readonly {
		readonly image: Pick<TestImage, 'manifest' | 'content'>;
		readonly platform?: object;
	}[],
): Pick<TestImage, 'manifest' | 'content'> {
	const manifests = images.map(({ image, platform }) => ({
		...image.manifest,
		...(platform && { platform }),
	}));
	const bytes = jsonBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests });
	const manifest = { mediaType: MEDIA_TYPES.index, digest: digestOf(bytes), size: bytes.byteLength };
	const content = new Map([
		...images.flatMap(({ image }) => [...image.content]),
		[manifest.digest, bytes] as const,
	]);
	return { manifest, content };
}

function compressed(layer: Uint8Array, compression: 'gzip' | 'zstd' | 'none'): Uint8Array {
	if (compression === 'none') return layer;
	return compression === 'gzip' ? gzipSync(layer) : zstdCompressSync(layer);
}

function jsonBytes(value: unknown): Uint8Array {
	return new TextEncoder().encode(JSON.stringify(value));
}
