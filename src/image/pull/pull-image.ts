import type { Descriptor } from '../manifests/document.ts';
import type { Platform } from '../manifests/platform.ts';
import { referenceText } from '../names/image-reference.ts';
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
	/** Which Pods may use the image without a check at the registry, given the credentials of `repository`. */
	readonly access: PullAccess;
	readonly signal?: AbortSignal;
	/** Called as the bytes of a layer arrive, with the number so far. Not called for layers that the store has. */
	readonly onProgress?: (layer: Descriptor, packedBytes: number) => void;
}

/**
 * Brings an image from a registry into the store. Of an image that the store has and that has not changed, only the
 * name is resolved, by one request. Rejects with a RegistryError, a ManifestError, a LayerError, or a system error.
 */
export async function pullImage(pull: ImagePull): Promise<StoredImage> {
	const { store, repository, platform, access, signal, onProgress } = pull;
	const fetched = await fetchImage(repository, {
		platform,
		stored: (digest) => store.presentBlob(digest),
		...(signal && { signal }),
	});
	return store.add({
		name: referenceText(repository.reference),
		target: fetched.target.digest,
		manifest: fetched.descriptor,
		documents: fetched.documents,
		openLayer: async (layer, ofDownload) => repository.blob(layer, ofDownload),
		access,
		...(signal && { signal }),
		...(onProgress && { onProgress }),
	});
}
