import { type Stats, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { shellWord } from '../base/shell-word.ts';

/** The name of the command that the package installs. */
const COMMAND = 'stint';

/**
 * How the user called the program, as a word for a shell: the path that the script `stint` was started by
 * (STINT_COMMAND), or the plain name if a shell finds that very file by it.
 */
export function programName(env: Readonly<Record<string, string | undefined>>): string {
	const { STINT_COMMAND: called = COMMAND, PATH = '' } = env;
	if (called === COMMAND) return COMMAND;
	// A relative path was typed by the user, who meant it: `./stint` also where the folder is on the PATH.
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

/** Undefined also where the PATH names a folder that this user may not enter: a shell passes it over as well. */
function found(file: string): Stats | undefined {
	try {
		return statSync(file);
	} catch {
		return undefined;
	}
}
