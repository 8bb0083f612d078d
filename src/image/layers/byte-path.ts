/**
 * Names of files as byte strings. A tar archive names files by bytes, which need not be UTF-8, and two names that
 * differ only in invalid bytes are two files. So paths inside layers are strings with one character (U+0000 to
 * U+00FF) per byte, Node's encoding `latin1`. They are converted only at the border: for the file system and for
 * messages.
 */

/** Matches if a byte string is not plain ASCII. ASCII paths need no conversion. */
const NOT_ASCII = /[\u0080-\u00ff]/;

/** The path of a file for functions of node:fs. `folder` is an ordinary string, `path` a byte string below it. */
export function onDisk(folder: string, path: string): string | Buffer {
	if (path === '') return folder;
	if (!NOT_ASCII.test(path)) return `${folder}/${path}`;
	return Buffer.concat([Buffer.from(`${folder}/`, 'utf8'), Buffer.from(path, 'latin1')]);
}

/** A byte string as the text that its bytes mean, for messages. */
export function shownPath(path: string): string {
	return NOT_ASCII.test(path) ? Buffer.from(path, 'latin1').toString('utf8') : path;
}

/** The byte string of a text: its UTF-8 bytes. */
export function bytePath(text: string): string {
	return Buffer.from(text, 'utf8').toString('latin1');
}

/** `name` in the folder `folder`, which is empty for the root. Both are byte strings. */
export function childPath(folder: string, name: string): string {
	return folder === '' ? name : `${folder}/${name}`;
}
