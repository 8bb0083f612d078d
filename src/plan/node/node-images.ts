import { compareText } from '../../base/compare-text.ts';

/** The kubelet's default of `nodeStatusMaxImages`. */
const MAX_IMAGES = 50;
/** The kubelet's `MaxNamesPerImageInNodeStatus`. */
const MAX_NAMES = 5;

/** An image as a runtime reports it. */
export interface ListedImage {
	/** Names with a tag. */
	readonly tags: readonly string[];
	/** Names with the digest that the registry gave. */
	readonly digests: readonly string[];
	readonly sizeBytes: number;
}

/** The Node's `status.images`, as the kubelet reports them: the largest first, and of each only a few names. */
export function nodeImagesOf(
	images: readonly ListedImage[],
): readonly { readonly names: readonly string[]; readonly sizeBytes: number }[] {
	return images
		.map(({ tags, digests, sizeBytes }) => ({
			names: [...[...digests].sort(compareText), ...[...tags].sort(compareText)].slice(0, MAX_NAMES),
			sizeBytes,
		}))
		.sort((a, b) => b.sizeBytes - a.sizeBytes || compareText(a.names[0] ?? '', b.names[0] ?? ''))
		.slice(0, MAX_IMAGES);
}
