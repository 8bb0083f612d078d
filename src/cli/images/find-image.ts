import { attempt } from '../../base/attempt.ts';
import { CommandError } from '../context.ts';
import type { LocalImage, LocalImages, NamedTarget } from './local-images.ts';

/** What the word of a user means. */
export interface MeantImage {
	readonly image: LocalImage;
	/** The name of the image that the word is; undefined if the word is an id or a digest. */
	readonly name: NamedTarget | undefined;
}

/** There is no image of this name or id. */
export class NoSuchImageError extends CommandError {
	override readonly name = 'NoSuchImageError';
}

/**
 * The image that a user means, by Docker's rules: a name, with the tag `latest` if it has none; a name with the digest
 * that the registry gave it; an id, or the beginning of one. Throws {@link NoSuchImageError}, and a CommandError if ids of
 * several images begin so.
 */
export function findImage(
	word: string,
	all: readonly LocalImage[],
	images: Pick<LocalImages, 'parse'>,
): MeantImage {
	const parsed = attempt(() => images.parse(word));
	for (const image of all)
		for (const name of image.names) if (name.full === parsed?.full) return { image, name };
	const byDigest = all.find(({ names }) =>
		names.some(({ target, repository }) => target === parsed?.digest && repository === parsed.repository),
	);
	if (byDigest) return { image: byDigest, name: undefined };
	const [, hex] = /^(?:sha256:)?([0-9a-f]{2,64})$/.exec(word) ?? [];
	const byId = hex === undefined ? [] : all.filter(({ id }) => id.startsWith(`sha256:${hex}`));
	if (byId.length > 1) throw new CommandError(`several images have an id that begins with ${word}`);
	const [image] = byId;
	if (!image) throw new NoSuchImageError(`No such image: ${parsed?.familiar ?? word}`);
	return { image, name: undefined };
}

/** The first characters of an id, as Docker prints it. */
export function shortId(id: string): string {
	return id.slice('sha256:'.length, 'sha256:'.length + 12);
}
