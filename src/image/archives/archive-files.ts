import { readFileSync } from 'node:fs';
import { type Digest, digestOf, parseDigest } from '../digest.ts';
import { bytePath, onDisk } from '../layers/byte-path.ts';
import { type Descriptor, MAX_CONFIG_BYTES, ManifestError } from '../manifests/document.ts';
import type { MergedView } from '../root/merged-view.ts';

/** An image of an archive. Its documents have been read; its layers are files of the archive. */
export interface ArchivedImage {
	/** As they stand in the archive; undefined for an image without a name. */
	readonly names: readonly string[];
	readonly target: Digest;
	readonly manifest: Pick<Descriptor, 'digest' | 'mediaType'>;
	readonly documents: ReadonlyMap<Digest, Uint8Array>;
	/** The files of layers, by the digests in the manifest. */
	readonly layerFiles: ReadonlyMap<Digest, string | Buffer>;
}

/** The files of an unpacked archive. */
export class ArchiveFiles {
	readonly #root: string;
	readonly #view: MergedView;

	constructor(root: string, view: MergedView) {
		this.#root = root;
		this.#view = view;
	}

	/** Whether a file exists. */
	has(path: string): boolean {
		return this.#view.resolve(bytePath(path))?.stats.isFile() ?? false;
	}

	/** The path of a file on disk. Throws {@link ManifestError} if there is none. */
	fileOf(path: string): string | Buffer {
		const entry = this.#view.resolve(bytePath(path));
		if (!entry?.stats.isFile()) throw new ManifestError(`the archive has no file ${path}`);
		return onDisk(this.#root, entry.path);
	}

	/** The content of a document. */
	document(path: string): Uint8Array {
		const entry = this.#view.resolve(bytePath(path));
		if (entry && entry.stats.size > MAX_CONFIG_BYTES)
			throw new ManifestError(`${path} has ${entry.stats.size} bytes; the maximum is ${MAX_CONFIG_BYTES}`);
		return readFileSync(this.fileOf(path));
	}

	/** The path of a blob in an OCI image layout. */
	blobPath(digest: Digest): string {
		const { algorithm, hex } = parseDigest(digest);
		return `blobs/${algorithm}/${hex}`;
	}

	/** A document of an OCI image layout. Throws {@link ManifestError} if its digest is wrong. */
	blob(digest: Digest): Uint8Array {
		const bytes = this.document(this.blobPath(digest));
		if (digestOf(bytes, parseDigest(digest).algorithm) !== digest)
			throw new ManifestError(`the archive's ${this.blobPath(digest)} has another digest`);
		return bytes;
	}
}
