import { type Descriptor, MAX_CONFIG_BYTES, ManifestError } from '../manifests/document.ts';
import { checkLayerCount, type ImageConfig, readImageConfig } from '../manifests/image-config.ts';
import {
	checkRunnable,
	chooseManifest,
	type ImageIndex,
	type ImageManifest,
	offeredPlatforms,
	readManifest,
} from '../manifests/image-manifest.ts';
import { type Platform, platformRank, platformText } from '../manifests/platform.ts';
import { referenceText } from '../names/image-reference.ts';
import { FAILED_OPEN } from './blob-pieces.ts';
import { pullFailure } from './hints.ts';
import { RegistryError } from './registry-error.ts';
import type { Repository } from './repository.ts';

/** All documents of an image: what is needed to unpack its layers and to run it. */
export interface FetchedImage {
	/** What the name referred to: the index, or the manifest itself. Its digest is the one in `imageRef`. */
	readonly target: Descriptor;
	/** The descriptor of the manifest. */
	readonly descriptor: Descriptor;
	readonly manifest: ImageManifest;
	readonly config: ImageConfig;
	/** The bytes of the documents by digest, for a store: those of indexes, of the manifest and of the configuration. */
	readonly documents: ReadonlyMap<string, Uint8Array>;
	/** From where the credential came by which the image was fetched; undefined if it is public. */
	readonly credentialOrigin?: string;
}

/** What to fetch. */
export interface FetchOptions {
	readonly platform: Platform;
	/**
	 * The bytes of a document that a store has already; they must have this digest. Only the others are requested:
	 * of an image that has not changed, one request resolves the name.
	 */
	stored?(digest: string): Promise<Uint8Array | undefined>;
	readonly signal?: AbortSignal;
}

/** An index may refer to indexes. */
const MAX_INDEXES = 4;

/**
 * Resolves the repository's reference, and fetches the image for the platform. The layers are not requested: read them
 * by `Repository.blob`. Rejects with RegistryError, whose message is that of a failed pull in containerd.
 */
export async function fetchImage(repository: Repository, options: FetchOptions): Promise<FetchedImage> {
	const name = referenceText(repository.reference);
	const target = await repository.resolve(options.signal).catch((error) => {
		throw failed(
			name,
			error instanceof RegistryError ? error.prefixed(`failed to resolve reference "${name}"`) : error,
		);
	});
	try {
		return await new Fetch(repository, options).run(target);
	} catch (error) {
		throw failed(name, error);
	}
}

function failed(name: string, error: unknown): unknown {
	return error instanceof RegistryError || error instanceof ManifestError ? pullFailure(name, error) : error;
}

/** The documents of one image while they are fetched. */
class Fetch {
	readonly #repository: Repository;
	readonly #options: FetchOptions;
	readonly #documents = new Map<string, Uint8Array>();

	constructor(repository: Repository, options: FetchOptions) {
		this.#repository = repository;
		this.#options = options;
	}

	async run(target: Descriptor): Promise<FetchedImage> {
		const { platform } = this.#options;
		let descriptor = target;
		for (let indexes = 0; indexes <= MAX_INDEXES; indexes += 1) {
			const document = readManifest(await this.#document(descriptor, 'manifest'), descriptor.mediaType);
			if (document.kind === 'manifest') {
				const config = await this.#config(document);
				// A single manifest is taken whatever its platform, as containerd does; of an index, only one that suits.
				if (indexes > 0 && platformRank(platform, config.platform) === undefined && !descriptor.platform)
					throw this.#noMatch(target.digest, [platformText(config.platform)]);
				const credentialOrigin = this.#repository.credentialOrigin;
				return {
					target,
					descriptor,
					manifest: document,
					config,
					documents: this.#documents,
					...(credentialOrigin !== undefined && { credentialOrigin }),
				};
			}
			descriptor = this.#choose(document, descriptor.digest);
		}
		throw new ManifestError(`more than ${MAX_INDEXES} nested indexes in ${target.digest}`);
	}

	async #config(manifest: ImageManifest): Promise<ImageConfig> {
		checkRunnable(manifest);
		const config = readImageConfig(await this.#document(manifest.config, 'config'));
		checkLayerCount(manifest, config);
		return config;
	}

	#choose(index: ImageIndex, digest: string): Descriptor {
		try {
			return chooseManifest(index, this.#options.platform, digest);
		} catch (error) {
			throw error instanceof ManifestError ? this.#noMatch(digest, offeredPlatforms(index)) : error;
		}
	}

	#noMatch(digest: string, offered: readonly string[]): RegistryError {
		const machine = platformText(this.#options.platform);
		return new RegistryError(`no match for platform in manifest ${digest}: not found`, {
			kind: 'not-found',
			hint: `The image is for ${offered.join(', ') || 'no platform'}; this machine runs ${machine}.`,
		});
	}

	async #document(descriptor: Descriptor, kind: 'manifest' | 'config'): Promise<Uint8Array> {
		const { signal } = this.#options;
		const bytes =
			(await this.#options.stored?.(descriptor.digest)) ?? (await this.#fetch(descriptor, kind, signal));
		this.#documents.set(descriptor.digest, bytes);
		return bytes;
	}

	async #fetch(
		descriptor: Descriptor,
		kind: 'manifest' | 'config',
		signal?: AbortSignal,
	): Promise<Uint8Array> {
		try {
			if (kind === 'manifest') return await this.#repository.manifest(descriptor, signal);
			return await this.#repository.blobBytes(descriptor, MAX_CONFIG_BYTES, signal);
		} catch (error) {
			if (!(error instanceof RegistryError) || error.kind === 'corrupt') throw error;
			throw error.prefixed(FAILED_OPEN);
		}
	}
}
