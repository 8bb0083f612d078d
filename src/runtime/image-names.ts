import { quote } from '../base/quote.ts';
import { type ImageReference, InvalidImageNameError, pullReference } from '../image/names/image-reference.ts';
import { ImageError } from './contract.ts';

/**
 * The parsed name of a Pod's image, complete unless `parse` is another one. Throws {@link ImageError} with the kubelet's
 * message (`EnsureImageExists`) if it is malformed.
 */
export function imageNameOf(
	image: string,
	parse: (text: string) => ImageReference = pullReference,
): ImageReference {
	try {
		return parse(image);
	} catch (error) {
		if (!(error instanceof InvalidImageNameError)) throw error;
		const message = `Failed to apply default image tag ${quote(image)}: ${error.message}`;
		throw new ImageError('InvalidImageName', message);
	}
}
