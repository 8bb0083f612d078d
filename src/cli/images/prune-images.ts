import { compareText } from '../../base/compare-text.ts';
import type { CliContext } from '../context.ts';
import { humanSize } from './human-size.ts';
import { interruptible } from './interruptible.ts';
import type { ImageFolderFlags } from './local-images.ts';

/** The flags of `images prune`. */
export interface PruneImagesFlags extends ImageFolderFlags {
	/** Images with names too. */
	readonly all?: boolean;
}

/** `stint images prune`: removes the images without a name, or with `all` every image, from which no container was made. */
export async function pruneImages(
	context: CliContext,
	{ all = false, ...folder }: PruneImagesFlags,
): Promise<number> {
	const images = await context.openImages(folder);
	return await interruptible(context, images, async () => {
		const unused = (await images.list())
			.filter(({ names, containers }) => containers.length === 0 && (all || names.length === 0))
			.sort((a, b) => compareText(a.id, b.id));
		const before = await images.usedBytes();
		await images.remove(unused.map(({ id }) => id));
		const freed = Math.max(before - (await images.usedBytes()), 0);
		const { stdout } = context;
		if (unused.length > 0) stdout.print('Deleted Images:\n');
		for (const { id, names } of unused) {
			for (const { familiar } of names) stdout.print(`untagged: ${familiar}\n`);
			stdout.print(`deleted: ${id}\n`);
		}
		stdout.print(`${unused.length > 0 ? '\n' : ''}Total reclaimed space: ${humanSize(freed, 4)}\n`);
		return 0;
	});
}
