import { statfs } from 'node:fs/promises';
import { type ImageReference, referenceText } from '../../../image/names/image-reference.ts';
import type { Credential } from '../../../image/registry/credentials/credential.ts';
import {
	type ImageDisk,
	ImageError,
	type PullOptions,
	type RuntimeImage,
	type RuntimeImages,
} from '../../contract.ts';
import { digestReference, pullWithEach } from '../../engines/image-pull.ts';
import { imageNameOf } from '../../image-names.ts';
import { type CriClient, CriError, isNotFound } from '../client/cri-client.ts';
import type { AuthConfig, CriImage } from '../client/cri-messages.ts';
import { CRI } from '../client/cri-methods.ts';
import type { Given, Read } from '../client/message.ts';
import type { CriImageUser } from '../containers/security-request.ts';
import type { PulledImages } from './pulled-images.ts';

/** An image of the runtime, by the name of a Pod. */
export interface CriFoundImage {
	readonly id: string;
	/** The reference by its digest, `repository@sha256:…`; its id if it was never in a registry. */
	readonly imageRef: string;
	readonly sizeBytes: number;
	readonly user: CriImageUser;
}

/** The images of a runtime of the CRI. Only those that this server has pulled are listed and removed. */
export class CriImages implements RuntimeImages {
	readonly #client: CriClient;
	readonly #pulled: PulledImages;

	constructor(client: CriClient, pulled: PulledImages) {
		this.#client = client;
		this.#pulled = pulled;
	}

	/** The image; undefined if the runtime does not have it. Rejects with {@link ImageError} for a malformed name. */
	async find(image: string): Promise<CriFoundImage | undefined> {
		const name = imageNameOf(image);
		const { image: found } = await this.#client.call(CRI.imageStatus, {
			image: { image: referenceText(name) },
		});
		return found && foundImageOf(found, name);
	}

	/**
	 * Has the runtime pull the image, with each of the credentials until one of them permits it, as a kubelet does. Rejects
	 * with {@link ImageError}.
	 */
	async pull(image: string, options: PullOptions = {}): Promise<CriFoundImage> {
		const name = imageNameOf(image);
		const before = await this.find(image);
		try {
			return await pullWithEach(name, options, {
				pull: (credential) => this.#pullWith(name, credential, before),
				isRefusal: (error) => error instanceof CriError,
			});
		} catch (error) {
			throw error instanceof CriError ? imageErrorOf(name, error.message) : error;
		}
	}

	/** Notes that a container was made from an image. */
	noteUse(id: string): void {
		this.#pulled.use(id);
	}

	async list(): Promise<readonly RuntimeImage[]> {
		const { images } = await this.#client.call(CRI.listImages, {});
		this.#pulled.keep(new Set(images.map(({ id }) => id)));
		const used = await this.#used();
		return images.flatMap((image) => {
			const record = this.#pulled.get(image.id);
			if (!record || image.pinned) return [];
			const { id, repoTags: tags, repoDigests: digests, size: sizeBytes } = image;
			const isInUse = [id, ...tags, ...digests].some((name) => used.has(name));
			return [{ id, tags, digests, sizeBytes, ...record, isInUse }];
		});
	}

	async remove(id: string): Promise<void> {
		if (!this.#pulled.get(id)) return;
		if ((await this.#used()).has(id)) throw new Error(`the image ${id} is in use`);
		try {
			await this.#client.call(CRI.removeImage, { image: { image: id } });
		} catch (error) {
			if (!isNotFound(error)) throw error;
		}
	}

	async disk(): Promise<ImageDisk> {
		const { imageFilesystems } = await this.#client.call(CRI.imageFsInfo, {});
		const path = imageFilesystems[0]?.fsId?.mountpoint;
		if (!path) throw new Error('the container runtime does not tell where its images are');
		const { bsize, blocks, bavail } = await statfs(path);
		return { capacityBytes: blocks * bsize, availableBytes: bavail * bsize };
	}

	/** The ids and names of the images of all containers, those of other users of the runtime too. */
	async #used(): Promise<ReadonlySet<string>> {
		const { containers } = await this.#client.call(CRI.listContainers, {});
		return new Set(
			containers.flatMap(({ image, imageRef, imageId }) => [image?.image ?? '', imageRef, imageId]),
		);
	}

	async #pullWith(
		name: ImageReference,
		credential: Credential | undefined,
		before: CriFoundImage | undefined,
	): Promise<CriFoundImage> {
		const image = { image: referenceText(name) };
		const auth = credential && { auth: authOf(credential) };
		const { imageRef } = await this.#client.call(CRI.pullImage, { image, ...auth });
		const { image: found } = await this.#client.call(CRI.imageStatus, { image: { image: imageRef } });
		if (!found) throw imageErrorOf(name, 'the container runtime does not have it after the pull');
		if (found.id !== before?.id) this.#pulled.add(found.id);
		else this.#pulled.use(found.id);
		return foundImageOf(found, name);
	}
}

/** A failed pull, with the reasons that a kubelet reads from its beginning (upstream: `evalCRIPullErr`). */
function imageErrorOf(name: ImageReference, message: string): ImageError {
	const rest = (word: string): string => message.slice(word.length);
	const text = referenceText(name);
	if (message.startsWith(UNAVAILABLE))
		return new ImageError(
			UNAVAILABLE,
			`image pull failed for ${text} because the registry is unavailable${rest(UNAVAILABLE)}`,
		);
	if (message.startsWith(INVALID))
		return new ImageError(
			INVALID,
			`image pull failed for ${text} because the signature validation failed${rest(INVALID)}`,
		);
	return new ImageError('ErrImagePull', message);
}

const UNAVAILABLE = 'RegistryUnavailable';
const INVALID = 'SignatureValidationFailed';

function foundImageOf(image: Read<typeof CriImage>, name: ImageReference): CriFoundImage {
	const { id, size, repoDigests, uid, username } = image;
	return {
		id,
		imageRef: digestReference(name, repoDigests) ?? id,
		sizeBytes: size,
		user: { uid: uid?.value, username },
	};
}

/** The credentials. The runtime does not repeat them in errors. */
function authOf(credential: Credential): Given<typeof AuthConfig> {
	const { username, password, identityToken, registryToken } = credential;
	if (identityToken !== undefined) return { identityToken };
	if (registryToken !== undefined) return { registryToken };
	return { username, password };
}
