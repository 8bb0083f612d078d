import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, parseDigest } from '../digest.ts';
import type { Descriptor } from '../manifests/document.ts';
import { machinePlatform } from '../manifests/platform.ts';
import { type ArchiveEntry, tarOf } from './archive.ts';
import { testImage } from './test-image.ts';

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
	readonly content: ReadonlyMap<Digest, Uint8Array>;
}

/** Builds an image. The same plan gives the same digests. */
export function buildImage({ layers, platform = machinePlatform(), ...rest }: ImagePlan): BuiltImage {
	const { config, manifest, content } = testImage({ ...rest, layers: layers.map(tarOf), platform });
	return { id: config.digest, manifest, content };
}

/** Writes an OCI image layout with these images by name. Creates the folder. */
export function writeLayout(
	folder: string,
	images: Readonly<Record<string, Pick<BuiltImage, 'manifest' | 'content'>>>,
): void {
	for (const { content } of Object.values(images)) {
		for (const [digest, bytes] of content) {
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

function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}
