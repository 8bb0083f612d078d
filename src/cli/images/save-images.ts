import { type CliContext, CommandError } from '../context.ts';
import { findImage } from './find-image.ts';
import { interruptible } from './interruptible.ts';
import type { ArchivedNames, ImageFolderFlags, LocalImages, NamedTarget } from './local-images.ts';

/** The flags of `images save`. */
export interface SaveArchiveFlags extends ImageFolderFlags {
	/** A file. Default: standard output. */
	readonly output?: string;
}

/** `stint images save NAME|ID...`: writes images to an archive, as `docker save`. Resolves to the exit code. */
export async function saveArchive(
	context: CliContext,
	words: readonly string[],
	flags: SaveArchiveFlags,
): Promise<number> {
	const { output } = flags;
	if (output === undefined && context.stdout.columns !== undefined)
		throw new CommandError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
	const images = await context.openImages(flags);
	return await interruptible(context, images, async (signal) => {
		const write = async (bytes: Uint8Array): Promise<void> => {
			signal.throwIfAborted();
			await context.rawStreams.write('stdout', bytes);
		};
		const wanted = await wantedImages(words, images);
		await images.save(wanted, output === undefined ? { write } : { path: output });
		return 0;
	});
}

/** The images that the words mean, each once, with the names among the words. */
async function wantedImages(
	words: readonly string[],
	images: LocalImages,
): Promise<readonly ArchivedNames[]> {
	const all = await images.list();
	const wanted = new Map<string, NamedTarget[]>();
	for (const word of words) {
		const { image, name } = findImage(word, all, images);
		const names = wanted.get(image.id) ?? [];
		if (name && !names.some(({ full }) => full === name.full)) names.push(name);
		wanted.set(image.id, names);
	}
	return [...wanted].map(([id, names]) => ({ id, names }));
}
