import type { Descriptor } from '../../../image/manifests/document.ts';
import { machinePlatform } from '../../../image/manifests/platform.ts';
import { pullReference, referenceText } from '../../../image/names/image-reference.ts';
import { type CredentialSource, unionOfCredentials } from '../../../image/registry/credentials/credential.ts';
import { credentialsOfSecrets } from '../../../image/registry/credentials/pull-secrets.ts';
import { type FetchedImage, fetchImage } from '../../../image/registry/image-fetch.ts';
import type { Registry } from '../../../image/registry/registry.ts';
import type { ImageStore } from '../../../image/store/image-store.ts';
import type { PullAccess } from '../../../image/store/pull-access.ts';
import type { ImagePullSecret } from '../../contract.ts';
import { credentialHashOf } from '../pull-access.ts';
import type { PulledRecord, PullProgress, PullRequest } from './worker-protocol.ts';

/** What a pull needs. */
export interface PullParts {
	readonly store: ImageStore;
	readonly registry: Registry;
	/** The credentials of the user who runs stint. They are tried after those of the Pod, as by a kubelet. */
	readonly own: CredentialSource;
}

/** Progress is sent after this much more. */
const PROGRESS_BYTES = 256 << 10;

/** Pulls an image into the store. Rejects with RegistryError, and with the errors of manifests and layers. */
export async function pullImage(
	{ image, pullSecrets }: PullRequest,
	{ store, registry, own }: PullParts,
	onProgress: (progress: PullProgress) => void,
): Promise<PulledRecord> {
	const reference = pullReference(image);
	const credentials = unionOfCredentials([credentialsOfSecrets(pullSecrets.map(secretOf)), own]);
	const repository = await registry.repository(reference, { credentials, actions: ['pull'] });
	const fetched = await fetchImage(repository, {
		platform: machinePlatform(),
		stored: (digest) => store.readBlob(digest).catch(() => undefined),
	});
	const stored = await store.add({
		name: referenceText(reference),
		...documentsOf(fetched),
		openLayer: async (layer, signal) => repository.blob(layer, signal),
		access: accessOf(fetched, pullSecrets),
		onProgress: progressOf(fetched, onProgress),
	});
	return { targetDigest: fetched.target.digest, sizeBytes: stored.contentBytes };
}

function secretOf({
	namespace,
	name,
	text,
	isLegacy,
}: ImagePullSecret): Parameters<typeof credentialsOfSecrets>[0][0] {
	const type = isLegacy ? 'kubernetes.io/dockercfg' : 'kubernetes.io/dockerconfigjson';
	const key = isLegacy ? '.dockercfg' : '.dockerconfigjson';
	return { namespace, name, type, data: { [key]: Buffer.from(text).toString('base64') } };
}

function documentsOf({ target, descriptor, manifest, documents }: FetchedImage): {
	readonly index?: Uint8Array;
	readonly manifest: Uint8Array;
	readonly manifestType: string;
	readonly config: Uint8Array;
} {
	const index = target.digest === descriptor.digest ? undefined : documents.get(target.digest);
	const [manifestBytes, config] = [descriptor, manifest.config].map(({ digest }) => documents.get(digest));
	if (!manifestBytes || !config) throw new Error('the documents of the image are incomplete');
	return { ...(index && { index }), manifest: manifestBytes, manifestType: manifest.mediaType, config };
}

/** Which Pods may use the image from now on: see {@link PullAccess}. */
function accessOf({ credentialOrigin }: FetchedImage, pullSecrets: readonly ImagePullSecret[]): PullAccess {
	const used = pullSecrets.filter((secret) => originOf(secret) === credentialOrigin);
	return {
		everyPod: used.length === 0,
		secrets: used.map((secret) => ({ ...identityOf(secret), credentialHash: credentialHashOf(secret) })),
		serviceAccounts: [],
	};
}

function originOf({ namespace, name }: ImagePullSecret): string {
	return `secret ${namespace}/${name}`;
}

function identityOf({ namespace, name }: ImagePullSecret): { uid: string; namespace: string; name: string } {
	return { uid: '', namespace, name };
}

/** Sums up the bytes of all layers. */
function progressOf(
	{ manifest }: FetchedImage,
	onProgress: (progress: PullProgress) => void,
): (layer: Descriptor, packedBytes: number) => void {
	const totalBytes = manifest.layers.reduce((sum, { size }) => sum + size, 0);
	const arrived = new Map<string, number>();
	let told = 0;
	return (layer, packedBytes) => {
		arrived.set(layer.digest, packedBytes);
		const doneBytes = [...arrived.values()].reduce((sum, bytes) => sum + bytes, 0);
		if (doneBytes - told < PROGRESS_BYTES && doneBytes < totalBytes) return;
		told = doneBytes;
		onProgress({ doneBytes, totalBytes });
	};
}
