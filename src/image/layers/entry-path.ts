import { shownPath } from './byte-path.ts';
import { LayerError } from './layer-error.ts';

/** What the name of an entry means: a path below the layer's root, or a mark of the OCI layer format. */

/** The meaning of a name. Paths and names are byte strings; `folder` are the components of the parent folder. */
export type EntryName =
	/** The root of the layer itself. */
	| { readonly kind: 'root' }
	| { readonly kind: 'path'; readonly folder: readonly string[]; readonly name: string }
	/** `name` in `folder` is hidden in lower layers. */
	| { readonly kind: 'whiteout'; readonly folder: readonly string[]; readonly name: string }
	/** Everything in `folder` is hidden in lower layers. */
	| { readonly kind: 'opaque'; readonly folder: readonly string[] }
	/** A file of AUFS itself, which old versions of Docker stored in layers. The container engines skip them too. */
	| { readonly kind: 'metadata' };

const WHITEOUT = '.wh.';
const METADATA = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/** Linux's limit of a component. */
const MAX_NAME_BYTES = 255;
/** Less than Linux's limit of a path (4096), by what the path of the store's own folders may need. */
const MAX_PATH_BYTES = 3072;

/**
 * Reads the name of an entry. A name that begins with a slash is a path below the root like any other. Throws a
 * {@link LayerError} for `..`, for NUL, for too long names, and for marks that name no file.
 */
export function readEntryName(raw: string): EntryName {
	const parts = componentsOf(raw, 'entry');
	const name = parts.pop();
	if (name === undefined) return { kind: 'root' };
	if (parts.some((part) => part.startsWith(WHITEOUT))) {
		if (parts.some((part) => part.startsWith(METADATA))) return { kind: 'metadata' };
		throw refused(raw, 'is inside of a whiteout');
	}
	if (!name.startsWith(WHITEOUT)) return { kind: 'path', folder: parts, name };
	if (name === OPAQUE) return { kind: 'opaque', folder: parts };
	const hidden = name.slice(WHITEOUT.length);
	if (hidden === '' || hidden === '.' || hidden === '..') throw refused(raw, 'hides no file');
	if (hidden.startsWith(WHITEOUT)) return { kind: 'metadata' };
	return { kind: 'whiteout', folder: parts, name: hidden };
}

/** The components of a hard link's target, which is a path below the root. Throws as {@link readEntryName} does. */
export function readLinkPath(raw: string): readonly string[] {
	return componentsOf(raw, 'hard link to');
}

function componentsOf(raw: string, what: string): string[] {
	if (raw.includes('\0')) throw refused(`${what} ${raw}`, 'contains a NUL');
	if (raw.length > MAX_PATH_BYTES) throw refused(`${what} ${raw}`, `is longer than ${MAX_PATH_BYTES} bytes`);
	const parts = raw.split('/').filter((part) => part !== '' && part !== '.');
	if (parts.includes('..')) throw refused(`${what} ${raw}`, 'contains ".."');
	if (parts.some((part) => part.length > MAX_NAME_BYTES))
		throw refused(`${what} ${raw}`, `has a component of more than ${MAX_NAME_BYTES} bytes`);
	return parts;
}

/** At most this much of a hostile name stands in a message. */
const SHOWN_BYTES = 200;

function refused(name: string, problem: string): LayerError {
	return new LayerError('refused', `${JSON.stringify(shownPath(name.slice(0, SHOWN_BYTES)))} ${problem}`);
}
