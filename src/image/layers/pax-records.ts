import { LayerError } from './layer-error.ts';
import type { TarHeader } from './tar-header.ts';

/** The records of PAX extension headers (POSIX pax, `x` and `g` entries): `LENGTH KEY=VALUE\n`. */

/** The records by key. Values are byte strings. */
export type PaxRecords = ReadonlyMap<string, string>;

/** Keys that begin so are extended attributes, as GNU tar, star and the container engines write them. */
const XATTR_PREFIX = 'SCHILY.xattr.';

/** Parses the body of an extension header. Throws a {@link LayerError} if it is malformed. */
export function parsePaxRecords(body: Buffer): PaxRecords {
	const records = new Map<string, string>();
	for (let at = 0; at < body.length; ) {
		const space = body.indexOf(0x20, at);
		const digits = space === -1 ? '' : body.toString('latin1', at, Math.min(space, at + 12));
		const end = at + Number(digits);
		const equals = body.indexOf(0x3d, space);
		const isWhole = /^[0-9]+$/.test(digits) && end <= body.length && body[end - 1] === 0x0a;
		if (!isWhole || equals === -1 || equals >= end || equals === space + 1)
			throw new LayerError('malformed', 'a PAX header has a malformed record');
		records.set(body.toString('latin1', space + 1, equals), body.toString('latin1', equals + 1, end - 1));
		at = end;
	}
	return records;
}

/** The keys that replace a field of the header. */
const HEADER_KEYS: readonly string[] = ['path', 'linkpath', 'uid', 'gid', 'size', 'mtime'];

/**
 * The records that replace fields of the header. Only these count in a global header: it applies to all later
 * entries, and a million entries must not each cost what a hostile header of 100,000 records costs.
 */
export function headerRecords(records: PaxRecords): PaxRecords {
	if (areSparse(records)) throw new LayerError('refused', 'a global PAX header describes sparse files');
	return new Map([...records].filter(([key]) => HEADER_KEYS.includes(key)));
}

/** Whether the records describe a sparse file in one of GNU's formats. */
export function areSparse(records: PaxRecords): boolean {
	return [...records.keys()].some((key) => key.startsWith('GNU.sparse.'));
}

/** The header with the values of the records. An empty value removes a record, so the header's own value stays. */
export function withPaxRecords(header: TarHeader, records: PaxRecords): TarHeader {
	if (records.size === 0) return header;
	return {
		...header,
		name: records.get('path') || header.name,
		linkName: records.get('linkpath') || header.linkName,
		uid: numberOf(records, 'uid', /^[0-9]+$/) ?? header.uid,
		gid: numberOf(records, 'gid', /^[0-9]+$/) ?? header.gid,
		size: numberOf(records, 'size', /^[0-9]+$/) ?? header.size,
		mtime: numberOf(records, 'mtime', /^-?[0-9]+(\.[0-9]*)?$/) ?? header.mtime,
	};
}

function numberOf(records: PaxRecords, key: string, form: RegExp): number | undefined {
	const text = records.get(key);
	if (!text) return undefined;
	const value = Number(text);
	if (!form.test(text) || Math.abs(value) > Number.MAX_SAFE_INTEGER)
		throw new LayerError('malformed', `a PAX header has a malformed ${key}`);
	return value;
}

/** The extended attributes of the records, by name. Values are byte strings. */
export function xattrsOf(records: PaxRecords): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	for (const [key, value] of records)
		if (key.startsWith(XATTR_PREFIX)) found.set(key.slice(XATTR_PREFIX.length), value);
	return found;
}
