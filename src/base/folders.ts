import { existsSync, mkdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { getSystemErrorMessage } from 'node:util';

/**
 * Makes the folder at an absolute path, and those above it as far as they are missing, with `mode`. Does
 * nothing where it exists. Throws the system's error, with the path that it is about.
 *
 * Not `mkdirSync` with `recursive`: below /proc, which says of a new folder that its parent is missing, that
 * never returns (Node 26).
 */
export function makeFolders(path: string, mode: number): void {
	const missing: string[] = [];
	for (let at = path; !existsSync(at); at = dirname(at)) missing.unshift(at);
	for (const each of missing) makeFolder(each, mode);
	if (!statSync(path).isDirectory()) throw notAFolder(path);
}

/** Another process may make the same folder at the same time. */
function makeFolder(path: string, mode: number): void {
	try {
		mkdirSync(path, { mode });
	} catch (error) {
		if (!existsSync(path)) throw error;
	}
}

function notAFolder(path: string): Error {
	const what = { code: 'ENOTDIR', errno: -constants.errno.ENOTDIR, path };
	return Object.assign(new Error(`ENOTDIR: not a directory, '${path}'`), what);
}

/** What the system says of a failed call, in words and without the call: `permission denied`. */
export function systemReason(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
	return number < 0 ? getSystemErrorMessage(number) : error.message;
}
