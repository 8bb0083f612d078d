import { digestOf } from '../../image/digest.ts';
import { pullReference, repositoryText } from '../../image/names/image-reference.ts';
import type { ImageRecord } from '../../image/store/records.ts';
import type { ImagePullSecret } from '../contract.ts';

/**
 * Whether a Pod with these Secrets may use a stored image without asking its registry (upstream: `MustAttemptImagePull` of
 * the feature KubeletEnsureSecretPulledImages). An image that was loaded and never pulled is for every Pod. Under an id, or
 * a name that it was not pulled by, it is for the Pods that may use it under one of the names that it was pulled by.
 *
 * A Secret is the same by its uid, whatever its content is now, and another one counts as the same by its content.
 */
export function mayUse(
	access: ImageRecord['access'],
	image: string,
	pullSecrets: readonly ImagePullSecret[],
): boolean {
	const all = Object.values(access);
	if (all.length === 0) return true;
	const own = isImageId(image) ? undefined : access[repositoryText(pullReference(image))];
	const hashes = new Set(pullSecrets.map(credentialHashOf));
	const uids = new Set(pullSecrets.map(({ uid }) => uid));
	return (own ? [own] : all).some(
		({ everyPod, secrets }) =>
			everyPod || secrets.some(({ uid, credentialHash }) => uids.has(uid) || hashes.has(credentialHash)),
	);
}

/** Whether a Pod names an image by its id. */
export function isImageId(image: string): boolean {
	return /^sha256:[0-9a-f]{64}$/.test(image);
}

/** The hash by which the content of Secrets is compared. */
export function credentialHashOf({ text }: ImagePullSecret): string {
	return digestOf(Buffer.from(text));
}
