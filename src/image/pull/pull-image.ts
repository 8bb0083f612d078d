import type { Descriptor } from '../manifests/document.ts';
import type { Platform } from '../manifests/platform.ts';
import { referenceText } from '../names/image-reference.ts';
import { pullFailure } from '../registry/hints.ts';
import { fetchImage } from '../registry/image-fetch.ts';
import type { Repository } from '../registry/repository.ts';
import type { ImageStore, StoredImage } from '../store/image-store.ts';
import type { PullAccess } from '../store/pull-access.ts';

/** An image to pull. */
export interface ImagePull {
	readonly store: ImageStore;
	/** Its reference names the image, with tag or digest. */
	readonly repository: Repository;
	/** The platform of the machine. */
	readonly platform: Platform;
	/**
	 * Which Pods may use the image without a check at the registry, by the origin of the credential with which it was
	 * pulled; undefined: none was needed.
	 */
	readonly accessOf: (credentialOrigin: string | undefined) => PullAccess;
	readonly signal?: AbortSignal;
	/** Called with all layers of the image, before the first is downloaded. */
	readonly onLayers?: (layers: readonly Descriptor[]) => void;
	/** Called as the bytes of a layer arrive, with the number so far. Not called for layers that the store has. */
	readonly onProgress?: (layer: Descriptor, packedBytes: number) => void;
}

/**
 * Brings an image from a registry into the store. Of an image that the store has and that has not changed, only the
 * name is resolved, by one request. Rejects with a RegistryError, whose message is that of a failed pull in containerd.
 */
export async function pullImage(pull: ImagePull): Promise<StoredImage> {
	const { store, repository, platform, accessOf, signal, onLayers, onProgress } = pull;
	const fetched = await fetchImage(repository, {
		platform,
		stored: (digest) => store.presentBlob(digest),
		...(signal && { signal }),
	});
	onLayers?.(fetched.manifest.layers);
	const name = referenceText(repository.reference);
	const added = store.add({
		name,
		target: fetched.target.digest,
		manifest: fetched.descriptor,
		documents: fetched.documents,
		openLayer: async (layer, ofDownload) => repository.blob(layer, ofDownload),
		access: accessOf(fetched.credentialOrigin),
		...(signal && { signal }),
		...(onProgress && { onProgress }),
	});
	return await added.catch((error: unknown) => {
		throw error instanceof Error ? pullFailure(name, error) : error;
	});
}
