import { TAR_BLOCK } from './tar-header.ts';
import type { LayerEntry } from './tar-reader.ts';

/** Writes tar archives as GNU tar and the container engines read them: ustar, with PAX records where needed. */

/** An entry to write; absent fields have the values of root's file from the epoch. */
export type LayerEntryToWrite = Pick<LayerEntry, 'kind' | 'path'> & Partial<LayerEntry>;

const TYPES: Readonly<Record<LayerEntry['kind'], string>> = {
	file: '0',
	hardlink: '1',
	symlink: '2',
	device: '3',
	folder: '5',
	fifo: '6',
};

/** The two blocks that end an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * TAR_BLOCK);

/** The header of an entry. Its content, `entry.size` bytes and {@link tarPadding}, must follow. */
export function tarHeaderOf(entry: LayerEntryToWrite): Buffer {
	const path = entry.kind === 'folder' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path;
	const records = paxRecordsOf({ ...entry, path });
	const header = block({ ...entry, path }, TYPES[entry.kind]);
	if (records.length === 0) return header;
	const extension = block({ kind: 'file', path: 'pax', mode: 0o644, size: records.length }, 'x');
	return Buffer.concat([extension, records, tarPadding(records.length), header]);
}

/** The zeros after a content of `size` bytes. */
export function tarPadding(size: number): Buffer {
	return Buffer.alloc((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
}

const [NAME_BYTES, ID_MAX, SIZE_MAX, TIME_MAX] = [100, 0o7777777, 0o77777777777, 0o77777777777];

function paxRecordsOf({
	path,
	linkTarget = '',
	uid = 0,
	gid = 0,
	size = 0,
	mtime = 0,
	xattrs,
}: LayerEntryToWrite) {
	const records: string[] = [];
	if (path.length > NAME_BYTES) records.push(record('path', path));
	if (linkTarget.length > NAME_BYTES) records.push(record('linkpath', linkTarget));
	if (uid > ID_MAX) records.push(record('uid', String(uid)));
	if (gid > ID_MAX) records.push(record('gid', String(gid)));
	if (size > SIZE_MAX) records.push(record('size', String(size)));
	if (mtime < 0 || mtime > TIME_MAX || !Number.isInteger(mtime)) records.push(record('mtime', String(mtime)));
	for (const [name, value] of xattrs ?? []) records.push(record(`SCHILY.xattr.${name}`, value));
	return Buffer.from(records.join(''), 'latin1');
}

/** The length of a record counts its own digits. */
function record(key: string, value: string): string {
	const rest = ` ${key}=${value}\n`;
	let length = rest.length + 1;
	while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
	return `${length}${rest}`;
}

function block(entry: LayerEntryToWrite, type: string): Buffer {
	const { path, linkTarget = '', mode = 0, uid = 0, gid = 0, size = 0, mtime = 0 } = entry;
	const bytes = Buffer.alloc(TAR_BLOCK);
	const octal = (value: number, at: number, length: number): void => {
		bytes.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
	};
	bytes.write(path.slice(0, NAME_BYTES), 0, 'latin1');
	octal(mode, 100, 8);
	octal(uid > ID_MAX ? 0 : uid, 108, 8);
	octal(gid > ID_MAX ? 0 : gid, 116, 8);
	octal(size > SIZE_MAX ? 0 : size, 124, 12);
	octal(mtime < 0 || mtime > TIME_MAX ? 0 : Math.floor(mtime), 136, 12);
	bytes.fill(0x20, 148, 156);
	bytes.write(type, 156, 'latin1');
	bytes.write(linkTarget.slice(0, NAME_BYTES), 157, 'latin1');
	bytes.write('ustar\x0000', 257, 'latin1');
	let sum = 0;
	for (const byte of bytes) sum += byte;
	octal(sum, 148, 7);
	return bytes;
}
