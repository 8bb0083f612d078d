import { attempt } from '../base/attempt.ts';
import {
	type ImageReference,
	InvalidImageNameError,
	parseImageReference,
	pullReference,
	referenceText,
	repositoryText,
} from '../image/names/image-reference.ts';
import type { Credential } from '../image/registry/credentials/credential.ts';
import { ImageError, type PullOptions } from './contract.ts';
import { pullCredentials } from './pull-credentials.ts';

/** The parsed name of a Pod's image, complete. Throws {@link ImageError} if it is malformed. */
export function imageNameOf(image: string): ImageReference {
	try {
		return pullReference(image);
	} catch (error) {
		if (!(error instanceof InvalidImageNameError)) throw error;
		const text = `Failed to apply default image tag "${image}": ${error.message}`;
		throw new ImageError('InvalidImageName', text);
	}
}

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

/** The credentials to try for a pull, in their order; empty: none. Rejects with {@link ImageError}. */
export async function credentialsFor(
	name: ImageReference,
	pullSecrets: NonNullable<PullOptions['pullSecrets']>,
): Promise<readonly Credential[]> {
	try {
		return (await pullCredentials(pullSecrets).find(repositoryText(name))).credentials;
	} catch (error) {
		throw pullError(name, error instanceof Error ? error.message : String(error));
	}
}
