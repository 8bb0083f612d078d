import type { CliContext } from '../context.ts';
import { describeError } from '../errors.ts';
import { humanSize } from './human-size.ts';
import { interruptible } from './interruptible.ts';
import type { ImageFolderFlags, ImageName, ImageProgress, LocalImages, NamedTarget } from './local-images.ts';

/** The flags of `images pull`. */
export interface PullImagesFlags extends ImageFolderFlags {
	/** Prints the names of the pulled images only. */
	readonly quiet?: boolean;
}

/**
 * `stint images pull NAME...`: pulls images one after the other. Prints what `docker pull` prints; on a terminal it shows a
 * progress bar. An error of one is printed, and the others are pulled. Resolves to the exit code.
 */
export async function pullImages(
	context: CliContext,
	words: readonly string[],
	flags: PullImagesFlags,
): Promise<number> {
	const images = await context.openImages(flags);
	return await interruptible(context, images, async (signal) => {
		const names = words.map((word) => images.parse(word));
		let code = 0;
		for (const name of names) {
			try {
				await pullOne({ context, images, quiet: flags.quiet ?? false }, name);
			} catch (error) {
				if (signal.aborted) throw error;
				context.stderr.print(`${describeError(error)}\n`);
				code = 1;
			}
		}
		return code;
	});
}

interface Pull {
	readonly context: CliContext;
	readonly images: LocalImages;
	readonly quiet: boolean;
}

async function pullOne({ context, images, quiet }: Pull, name: ImageName): Promise<void> {
	const { stdout } = context;
	const before = await targetOf(images, name);
	if (!quiet) stdout.print(`${name.tag ?? name.digest}: Pulling from ${name.path}\n`);
	try {
		await images.pull(name, (progress) => {
			if (!quiet) context.setStatus(barOf(name, progress));
		});
	} finally {
		context.setStatus('');
	}
	const target = await targetOf(images, name);
	if (!quiet) {
		if (target !== undefined) stdout.print(`Digest: ${target}\n`);
		const what = before === target ? 'Image is up to date for' : 'Downloaded newer image for';
		stdout.print(`Status: ${what} ${name.familiar}\n`);
	}
	stdout.print(`${name.full}\n`);
}

/** What the name means in the store. */
async function targetOf(images: LocalImages, { full }: ImageName): Promise<string | undefined> {
	const names: readonly NamedTarget[] = (await images.list()).flatMap((image) => image.names);
	return names.find((each) => each.full === full)?.target;
}

const BAR_WIDTH = 30;

function barOf({ familiar }: ImageName, { doneBytes, totalBytes }: ImageProgress): string {
	const done = totalBytes > 0 ? Math.min(doneBytes / totalBytes, 1) : 1;
	const filled = Math.floor(done * BAR_WIDTH);
	const bar = `${'='.repeat(filled)}${filled < BAR_WIDTH ? '>' : ''}`.padEnd(BAR_WIDTH);
	return `${familiar}  [${bar}]  ${humanSize(doneBytes)}/${humanSize(totalBytes)}`;
}
