import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { attempt } from '../attempt.ts';

/** Whether this user may execute the file. */
export function isExecutable(file: string): boolean {
	return attempt(() => accessSync(file, constants.X_OK) ?? true) ?? false;
}

/** The path of a program in the first folder of `path` that has it; undefined if none does. Relative folders do not count. */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | undefined {
	return path
		.split(delimiter)
		.filter((folder) => folder.startsWith('/'))
		.map((folder) => join(folder, name))
		.find(isExecutable);
}
