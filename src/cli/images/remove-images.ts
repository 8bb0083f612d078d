import { attempt } from '../../base/attempt.ts';
import type { CliContext } from '../context.ts';
import { CommandError } from '../context.ts';
import { describeError } from '../errors.ts';
import { findImage, type MeantImage, NoSuchImageError, shortId } from './find-image.ts';
import { interruptible } from './interruptible.ts';
import type { ImageFolderFlags, ImageName, LocalImage, LocalImages } from './local-images.ts';

/** The flags of `images rm`. */
export interface RemoveImagesFlags extends ImageFolderFlags {
	/** Removes names of images in use, and images with several names by their id. */
	readonly force?: boolean;
}

/**
 * `stint images rm NAME|ID...`: removes names, and images with their last name, as `docker rmi`; of names that were pushed to
 * stint's registry, their tags there too. An error is printed, and the others are removed. Resolves to the exit code.
 */
export async function removeImages(
	context: CliContext,
	words: readonly string[],
	flags: RemoveImagesFlags,
): Promise<number> {
	const { force = false } = flags;
	const images = await context.openImages(flags);
	return await interruptible(context, images, async () => {
		let code = 0;
		for (const word of words) {
			try {
				const plan = planImageRemoval(findImage(word, await images.list(), images), force);
				await perform(plan, { context, images });
			} catch (error) {
				if (!(error instanceof CommandError)) throw error;
				if (error instanceof NoSuchImageError && (await unpublished(word, { context, images }))) continue;
				context.stderr.print(`${describeError(error)}\n`);
				if (!(force && error instanceof NoSuchImageError)) code = 1;
			}
		}
		return code;
	});
}

/** What a removal does. */
export interface ImageRemovalPlan {
	readonly untagged: readonly ImageName[];
	/** The id of the image that is removed too. */
	readonly deleted: string | undefined;
}

/**
 * Decides what the removal of a name or an id does. Throws a CommandError, with Docker's text, if it needs `force`. An image
 * that containers were made from is never removed: `force` then removes its names.
 */
export function planImageRemoval({ image, name }: MeantImage, force: boolean): ImageRemovalPlan {
	const { id, names, containers } = image;
	const [user] = containers;
	const untagged = name ? [name] : names;
	// The image keeps other names.
	if (name && names.length > 1) return { untagged, deleted: undefined };
	if (!force && user !== undefined) throw new CommandError(inUse(image, name, user));
	const repositories = new Set(names.map(({ repository }) => repository));
	if (!name && !force && repositories.size > 1)
		throw new CommandError(
			`conflict: unable to delete ${shortId(id)} (must be forced) - image is referenced in multiple repositories`,
		);
	if (user !== undefined && untagged.length === 0)
		throw new CommandError(
			`conflict: unable to delete ${shortId(id)} (cannot be forced) - image is being used by container ${user}`,
		);
	return { untagged, deleted: user === undefined ? id : undefined };
}

function inUse({ id }: LocalImage, name: ImageName | undefined, user: string): string {
	return name
		? `conflict: unable to remove repository reference "${name.familiar}" (must force) - container ${user} is using its referenced image ${shortId(id)}`
		: `conflict: unable to delete ${shortId(id)} (must be forced) - image is being used by container ${user}`;
}

interface RemovalParts {
	readonly context: CliContext;
	readonly images: LocalImages;
}

/** Removes a name that stint's registry has and no image: one that was pushed, and that no Pod has used. */
async function unpublished(word: string, { context, images }: RemovalParts): Promise<boolean> {
	const name = attempt(() => images.parse(word));
	if (!name || !(await images.unpublish(name))) return false;
	context.stdout.print(`Untagged: ${name.familiar}\n`);
	return true;
}

async function perform(
	{ untagged, deleted }: ImageRemovalPlan,
	{ context, images }: RemovalParts,
): Promise<void> {
	for (const name of untagged) {
		await images.untag(name);
		await images.unpublish(name);
		context.stdout.print(`Untagged: ${name.familiar}\n`);
	}
	if (deleted === undefined) return;
	await images.remove([deleted]);
	context.stdout.print(`Deleted: ${deleted}\n`);
}
