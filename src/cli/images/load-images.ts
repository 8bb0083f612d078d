import { type CliContext, CommandError } from '../context.ts';
import { interruptible } from './interruptible.ts';
import type { ImageFolderFlags } from './local-images.ts';

/** The flags of `images load`. */
export interface LoadArchiveFlags extends ImageFolderFlags {
	/** A file, or `-` for standard input. */
	readonly input: string;
	/** Prints ids only. */
	readonly quiet?: boolean;
}

/** `stint images load`: adds the images of an archive, and prints their names as `docker load`. Resolves to the exit code. */
export async function loadArchive(context: CliContext, flags: LoadArchiveFlags): Promise<number> {
	const { input, quiet = false } = flags;
	const { rawStreams, stdout } = context;
	if (input === '-' && rawStreams.isTerminal)
		throw new CommandError('requested load from stdin, but stdin is a terminal; name a file with -i');
	const images = await context.openImages(flags);
	return await interruptible(context, images, async (signal) => {
		const archive = input === '-' ? { bytes: rawStreams.input(signal) } : { path: input };
		for (const { id, names } of await images.load(archive)) {
			if (quiet) stdout.print(`${id}\n`);
			else if (names.length === 0) stdout.print(`Loaded image ID: ${id}\n`);
			else for (const { familiar } of names) stdout.print(`Loaded image: ${familiar}\n`);
		}
		return 0;
	});
}
