import type { Descriptor } from '../../../image/manifests/document.ts';
import { machinePlatform } from '../../../image/manifests/platform.ts';
import { pullReference } from '../../../image/names/image-reference.ts';
import { pullImage } from '../../../image/pull/pull-image.ts';
import type { Registry } from '../../../image/registry/registry.ts';
import type { ImageStore } from '../../../image/store/image-store.ts';
import type { PullAccess } from '../../../image/store/pull-access.ts';
import type { ImagePullSecret } from '../../contract.ts';
import { pullCredentials } from '../../pull-credentials.ts';
import { credentialHashOf } from '../may-use.ts';
import type { PulledRecord, PullProgress, PullRequest } from './worker-protocol.ts';

/** What a pull needs. */
export interface PullParts {
	readonly store: ImageStore;
	readonly registry: Registry;
	/** Gives the pull up. */
	readonly signal: AbortSignal;
}

/** Progress is sent after this much more. */
const PROGRESS_BYTES = 256 << 10;

/** Pulls an image into the store, with the Secrets of a Pod. Rejects with a RegistryError. */
export async function pullForPod(
	{ image, pullSecrets }: PullRequest,
	{ store, registry, signal }: PullParts,
	onProgress: (progress: PullProgress) => void,
): Promise<PulledRecord> {
	const reference = pullReference(image);
	const credentials = pullCredentials(pullSecrets);
	const repository = await registry.repository(reference, { credentials, actions: ['pull'] });
	const progress = new PullMeter(onProgress);
	const { contentBytes } = await pullImage({
		store,
		repository,
		platform: machinePlatform(),
		signal,
		accessOf: (origin) => accessOf(origin, pullSecrets),
		onLayers: (layers) => progress.begin(layers),
		onProgress: (layer, packedBytes) => progress.note(layer, packedBytes),
	});
	return { sizeBytes: contentBytes };
}

/** Which Pods may use the image from now on: see {@link PullAccess}. */
function accessOf(origin: string | undefined, pullSecrets: readonly ImagePullSecret[]): PullAccess {
	const used = pullSecrets.filter(({ namespace, name }) => origin === `secret ${namespace}/${name}`);
	return {
		everyPod: used.length === 0,
		secrets: used.map((secret) => ({
			uid: secret.uid,
			namespace: secret.namespace,
			name: secret.name,
			credentialHash: credentialHashOf(secret),
		})),
		serviceAccounts: [],
	};
}

/** Sums up the bytes of all layers. */
class PullMeter {
	readonly #onProgress: (progress: PullProgress) => void;
	readonly #arrived = new Map<string, number>();
	#totalBytes = 0;
	#sentBytes = 0;

	constructor(onProgress: (progress: PullProgress) => void) {
		this.#onProgress = onProgress;
	}

	begin(layers: readonly Descriptor[]): void {
		this.#totalBytes = layers.reduce((sum, { size }) => sum + size, 0);
	}

	note({ digest }: Descriptor, packedBytes: number): void {
		this.#arrived.set(digest, packedBytes);
		const doneBytes = [...this.#arrived.values()].reduce((sum, bytes) => sum + bytes, 0);
		if (doneBytes - this.#sentBytes < PROGRESS_BYTES && doneBytes < this.#totalBytes) return;
		this.#sentBytes = doneBytes;
		this.#onProgress({ doneBytes, totalBytes: this.#totalBytes });
	}
}
