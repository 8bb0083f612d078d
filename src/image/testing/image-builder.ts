import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Digest, digestOf, parseDigest } from '../digest.ts';
import type { Descriptor } from '../manifests/document.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import { machinePlatform } from '../manifests/platform.ts';
import { type ArchiveEntry, tarOf } from './archive.ts';

/** Builds images without an engine: for tests of the store, of registries and of runtimes. */

/** What to build. */
export interface ImagePlan {
	/** The entries of each layer, from the lowest to the uppermost. */
	readonly layers: readonly (readonly ArchiveEntry[])[];
	/** The `config` of the configuration, such as `{ Entrypoint: ['/bin/app'] }`. */
	readonly config?: Readonly<Record<string, unknown>>;
	/** Default `gzip`. */
	readonly compression?: 'none' | 'gzip' | 'zstd';
	/** Default: this machine's. */
	readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** An image in memory. */
export interface BuiltImage {
	/** The digest of its configuration. */
	readonly id: Digest;
	readonly manifest: Descriptor;
	/** The manifest, the configuration and the layers. */
	readonly blobs: ReadonlyMap<Digest, Buffer>;
}

const LAYER_TYPES = { none: MEDIA_TYPES.layer, gzip: MEDIA_TYPES.gzipLayer, zstd: MEDIA_TYPES.zstdLayer };

/** Builds an image. The same plan gives the same digests. */
export function buildImage(plan: ImagePlan): BuiltImage {
	const blobs = new Map<Digest, Buffer>();
	const add = (mediaType: string, bytes: Buffer): Descriptor => {
		const digest = digestOf(bytes);
		blobs.set(digest, bytes);
		return { mediaType, digest, size: bytes.length };
	};
	const compression = plan.compression ?? 'gzip';
	const archives = plan.layers.map(tarOf);
	const layers = archives.map((archive) => add(LAYER_TYPES[compression], packed(archive, compression)));
	const config = add(
		MEDIA_TYPES.config,
		json({
			...(plan.platform ?? machinePlatform()),
			config: plan.config ?? {},
			rootfs: { type: 'layers', diff_ids: archives.map((archive) => digestOf(archive)) },
		}),
	);
	const manifest = add(
		MEDIA_TYPES.manifest,
		json({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers }),
	);
	return { id: config.digest, manifest, blobs };
}

/** The index that offers images for their platforms, as the bytes that a registry sends. */
export function indexOf(images: readonly (BuiltImage & { readonly platform: object })[]): Buffer {
	const manifests = images.map(({ manifest, platform }) => ({ ...manifest, platform }));
	return json({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests });
}

/** Writes an OCI image layout with these images by name. Creates the folder. */
export function writeLayout(folder: string, images: Readonly<Record<string, BuiltImage>>): void {
	for (const { blobs } of Object.values(images)) {
		for (const [digest, bytes] of blobs) {
			const { algorithm, hex } = parseDigest(digest);
			mkdirSync(join(folder, 'blobs', algorithm), { recursive: true });
			writeFileSync(join(folder, 'blobs', algorithm, hex), bytes);
		}
	}
	const manifests = Object.entries(images).map(([name, { manifest }]) => ({
		...manifest,
		annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': tagOf(name) },
	}));
	writeFileSync(join(folder, 'index.json'), json({ schemaVersion: 2, manifests }));
	writeFileSync(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
}

function tagOf(name: string): string {
	return /:([^/:]+)$/.exec(name)?.[1] ?? 'latest';
}

function packed(archive: Buffer, compression: 'none' | 'gzip' | 'zstd'): Buffer {
	if (compression === 'gzip') return gzipSync(archive);
	return compression === 'zstd' ? zstdCompressSync(archive) : archive;
}

function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}
