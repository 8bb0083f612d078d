import { attempt } from '../../base/attempt.ts';
import { messageOf } from '../../base/message-of.ts';
import {
	type ImageReference,
	parseImageReference,
	referenceText,
	repositoryText,
} from '../../image/names/image-reference.ts';
import type { Credential } from '../../image/registry/credentials/credential.ts';
import { ImageError, type PullOptions } from '../contract.ts';
import { pullCredentials } from '../pull-credentials.ts';

/** Of the names with a digest that an image has, that of the repository of `name`, else the first; undefined: none. */
export function digestReference(name: ImageReference, digests: readonly string[]): string | undefined {
	const repository = repositoryText(name);
	const refs = digests.flatMap((each) => {
		const ref = attempt(() => parseImageReference(each));
		return ref?.digest === undefined ? [] : [{ repository: repositoryText(ref), digest: ref.digest }];
	});
	const own = refs.find((each) => each.repository === repository) ?? refs[0];
	return own && `${own.repository}@${own.digest}`;
}

/** A failed pull, in containerd's words. */
export function pullError(name: ImageReference, why: string): ImageError {
	return new ImageError('ErrImagePull', `failed to pull and unpack image "${referenceText(name)}": ${why}`);
}

/**
 * Calls `pull` with each of the credentials for an image, until one of them permits it, as a kubelet does; without any if there
 * are none. Rejects with the last error, and at once with one that is no refusal of the engine.
 */
export async function pullWithEach<Image>(
	name: ImageReference,
	{ pullSecrets = [] }: PullOptions,
	{
		pull,
		isRefusal,
	}: {
		readonly pull: (credential: Credential | undefined) => Promise<Image>;
		readonly isRefusal: (error: unknown) => boolean;
	},
): Promise<Image> {
	const credentials = await credentialsFor(name, pullSecrets);
	let refusal: unknown;
	for (const credential of credentials.length > 0 ? credentials : [undefined]) {
		try {
			return await pull(credential);
		} catch (error) {
			if (!isRefusal(error)) throw error;
			refusal = error;
		}
	}
	throw refusal;
}

/** The credentials to try for a pull, in their order; empty: none. Rejects with {@link ImageError}. */
async function credentialsFor(
	name: ImageReference,
	pullSecrets: NonNullable<PullOptions['pullSecrets']>,
): Promise<readonly Credential[]> {
	try {
		return (await pullCredentials(pullSecrets).find(repositoryText(name))).credentials;
	} catch (error) {
		throw pullError(name, messageOf(error));
	}
}
