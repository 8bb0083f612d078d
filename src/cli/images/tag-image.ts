import { messageOf } from '../../base/message-of.ts';
import { quote } from '../../base/quote.ts';
import { type CliContext, CommandError } from '../context.ts';
import { findImage } from './find-image.ts';
import type { ImageFolderFlags, ImageName, LocalImages } from './local-images.ts';

/** `stint images tag SOURCE TARGET`: gives an image a further name, as `docker tag`. */
export async function tagImage(
	context: CliContext,
	{ source, target }: { readonly source: string; readonly target: string },
	folder: ImageFolderFlags,
): Promise<void> {
	const images = await context.openImages(folder);
	try {
		const name = nameOf(target, images);
		if (name.digest !== undefined) throw new CommandError('refusing to create a tag with a digest reference');
		const { image } = findImage(source, await images.list(), images);
		await images.tag(image.id, name);
	} finally {
		await images.close();
	}
}

function nameOf(target: string, images: LocalImages): ImageName {
	try {
		return images.parse(target);
	} catch (error) {
		throw new CommandError(`${quote(target)} is not a valid repository/tag: ${messageOf(error)}`);
	}
}
