import { humanDuration } from '../../api/meta/duration.ts';
import { formatTime } from '../../api/meta/time.ts';
import { compareText } from '../../base/compare-text.ts';
import type { CliContext } from '../context.ts';
import { alignText, TABLE_STYLE } from '../print/aligned-text.ts';
import { toJson } from '../print/json.ts';
import { unknownForm } from '../print/output-form.ts';
import { shortId } from './find-image.ts';
import { humanSize } from './human-size.ts';
import type { ImageFolderFlags, LocalImage } from './local-images.ts';

/** The flags of `images ls`. */
export interface ListImagesFlags extends ImageFolderFlags {
	readonly output?: string;
	/** Prints ids only. */
	readonly quiet?: boolean;
	/** False with --no-trunc: whole ids. */
	readonly trunc: boolean;
}

/** `stint images ls`: prints the images of the store, a line for each name. */
export async function listImages(context: CliContext, flags: ListImagesFlags): Promise<void> {
	const { output = '', quiet = false, trunc } = flags;
	if (!['', 'json', 'name'].includes(output)) throw unknownForm(output, ['json', 'name']);
	const images = await context.openImages(flags);
	try {
		const found = [...(await images.list())].sort(newestFirst);
		const idOf = ({ id }: LocalImage): string => (trunc ? shortId(id) : id);
		if (quiet) context.stdout.print(linesOf([...new Set(found.map(idOf))]));
		else if (output === 'json') context.stdout.write(toJson(found.map(documentOf)));
		else if (output === 'name') context.stdout.print(linesOf(found.flatMap(namesOf)));
		else context.stdout.print(tableOf(found, idOf, context.clock.now()));
	} finally {
		await images.close();
	}
}

function newestFirst(a: LocalImage, b: LocalImage): number {
	return b.addedAt - a.addedAt || compareText(a.id, b.id);
}

function linesOf(texts: readonly string[]): string {
	return texts.map((text) => `${text}\n`).join('');
}

/** An image without a name is listed by its id. */
function namesOf({ id, names }: LocalImage): readonly string[] {
	return names.length > 0 ? names.map(({ familiar }) => familiar).sort(compareText) : [id];
}

function documentOf({ id, names, sizeBytes, addedAt, lastUsedAt, containers }: LocalImage): object {
	return {
		id,
		names: names.map(({ full }) => full).sort(compareText),
		digests: [...new Set(names.map(({ target }) => target))].sort(compareText),
		sizeBytes,
		addedAt: formatTime(addedAt),
		lastUsedAt: formatTime(lastUsedAt),
		inUse: containers.length > 0,
		containers: [...containers].sort(compareText),
	};
}

function tableOf(images: readonly LocalImage[], idOf: (image: LocalImage) => string, now: number): string {
	const rows = images.flatMap((image) => {
		const { names, sizeBytes, lastUsedAt, containers } = image;
		const rest = [
			idOf(image),
			humanSize(sizeBytes),
			`${humanDuration(now - lastUsedAt)} ago`,
			containers.length > 0 ? 'yes' : 'no',
		];
		const labels = names.map(({ repository, tag = '<none>' }) => [repository, tag]);
		return (labels.length > 0 ? labels : [['<none>', '<none>']]).map((label) => [...label, ...rest]);
	});
	const lines = [['REPOSITORY', 'TAG', 'IMAGE ID', 'SIZE', 'LAST USED', 'IN USE'], ...rows];
	return alignText(linesOf(lines.map((cells) => cells.join('\t'))), TABLE_STYLE);
}
