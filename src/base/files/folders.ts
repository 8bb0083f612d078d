import { existsSync, mkdirSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname } from 'node:path';
import { getSystemErrorMessage } from 'node:util';

/**
 * Creates the folder at an absolute path, and its missing ancestors, with `mode`. Does nothing if the folder
 * exists. Throws the system's error, whose `path` names the folder that could not be created.
 *
 * It does not use the option `recursive` of `mkdirSync`, which never returns below /proc (Node 26): there
 * mkdir fails with ENOENT although the parent exists, and Node retries for ever.
 */
export function makeFolders(path: string, mode: number): void {
	const missing: string[] = [];
	for (let at = path; !existsSync(at); at = dirname(at)) missing.unshift(at);
	for (const each of missing) makeFolder(each, mode);
	if (!statSync(path).isDirectory()) throw notAFolder(path);
}

/** Ignores the error if another process has created the same folder at the same time. */
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

/** The reason of a failed system call in words, without the name of the call: `permission denied`. */
export function systemReason(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const number = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
	return number < 0 ? getSystemErrorMessage(number) : error.message;
}
