import { digestOf } from '../../image/digest.ts';
import { pullReference, repositoryText } from '../../image/names/image-reference.ts';
import type { ImageRecord } from '../../image/store/records.ts';
import type { ImagePullSecret } from '../contract.ts';

/**
 * Whether a Pod with these Secrets may use a stored image without asking its registry (upstream: `MustAttemptImagePull` of
 * the feature KubeletEnsureSecretPulledImages). An image that was loaded and never pulled is for every Pod.
 */
export function mayUse(
	access: ImageRecord['access'],
	image: string,
	pullSecrets: readonly ImagePullSecret[],
): boolean {
	const entries = Object.keys(access);
	if (entries.length === 0 || image.startsWith('sha256:')) return true;
	const allowed = access[repositoryText(pullReference(image))];
	if (!allowed || allowed.everyPod) return true;
	return pullSecrets.some((secret) =>
		allowed.secrets.some(
			({ namespace, name, credentialHash }) =>
				(namespace === secret.namespace && name === secret.name) ||
				credentialHash === credentialHashOf(secret),
		),
	);
}

/** The hash by which credentials are compared that another Secret has too. */
export function credentialHashOf({ text }: ImagePullSecret): string {
	return digestOf(Buffer.from(text));
}
