import { type Stats, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { shellWord } from '../base/shell-word.ts';

/** The name of the command that the package installs. */
const COMMAND = 'stint';

/**
 * How the user called the program, quoted for a shell: the path by which the script `stint` was started
 * (STINT_COMMAND), or `stint` if the shell finds the same file by that name.
 */
export function programName(env: Readonly<Record<string, string | undefined>>): string {
	const { STINT_COMMAND: called = COMMAND, PATH = '' } = env;
	if (called === COMMAND) return COMMAND;
	// Keep a relative path, which the user typed: `./stint` even if the folder is on the PATH.
	const isOnPath =
		called.startsWith('/') && basename(called) === COMMAND && isSameFile(called, firstOnPath(PATH));
	return isOnPath ? COMMAND : shellWord(called);
}

function firstOnPath(path: string): string | undefined {
	return path
		.split(delimiter)
		.map((folder) => join(folder, COMMAND))
		.find((file) => found(file)?.isFile());
}

function isSameFile(left: string, right: string | undefined): boolean {
	if (right === undefined) return false;
	const [a, b] = [left, right].map(found);
	return a !== undefined && a.ino === b?.ino && a.dev === b.dev;
}

/**
 * The file's metadata; undefined on any error. A shell, too, skips folders of the PATH that the user may not
 * enter.
 */
function found(file: string): Stats | undefined {
	try {
		return statSync(file);
	} catch {
		return undefined;
	}
}
