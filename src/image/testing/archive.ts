import { type LayerEntryToWrite, TAR_END, tarHeaderOf, tarPadding } from '../layers/tar-writer.ts';

/** Builds tar archives for tests. */

/** An entry with its content. Absent fields have the values of a file of root with mode 0644. */
export interface ArchiveEntry extends Omit<Partial<LayerEntryToWrite>, 'size' | 'linkTarget'> {
	readonly path: string;
	/** Of a file. */
	readonly content?: string | Uint8Array;
	/** The target of a symbolic link, or with `kind: 'hardlink'` of a hard link. */
	readonly to?: string;
}

/** The archive of these entries. A path that ends with a slash is a folder. */
export function tarOf(entries: readonly ArchiveEntry[]): Buffer {
	return Buffer.concat([...entries.map(entryBytes), TAR_END]);
}

function entryBytes({ content, to, ...entry }: ArchiveEntry): Buffer {
	const bytes = Buffer.from(content ?? '');
	const isFolder = entry.path.endsWith('/');
	const kind = entry.kind ?? (isFolder ? 'folder' : to === undefined ? 'file' : 'symlink');
	const header = tarHeaderOf({
		mode: isFolder ? 0o755 : 0o644,
		...entry,
		kind,
		size: bytes.length,
		...(to !== undefined && { linkTarget: to }),
	});
	return Buffer.concat([header, bytes, tarPadding(bytes.length)]);
}
