import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing } from '../../../base/files/system-error.ts';

/** The parts of a log that an earlier launcher has written. */
export interface LogParts {
	/** The paths of the rotated parts, oldest first. */
	readonly rotated: readonly string[];
	/** Number of lines before the current file, as the name of its rotated part would say. */
	readonly linesBefore: number;
	/** Number of lines in the current file. */
	readonly lines: number;
}

/** The path of the part of the log at `path` that has `linesBefore` lines before it. */
export function rotatedPath(path: string, linesBefore: number): string {
	return `${path}.${String(linesBefore).padStart(16, '0')}`;
}

/** Finds the parts of the log at `path`, and counts their lines. Reads the two newest. */
export async function findLogParts(path: string): Promise<LogParts> {
	const prefix = `${basename(path)}.`;
	const names = await readdir(dirname(path)).catch((error: unknown) => {
		if (isMissing(error)) return [];
		throw error;
	});
	const rotated = names
		.filter((name) => name.startsWith(prefix) && /^\d{16}$/.test(name.slice(prefix.length)))
		.sort()
		.map((name) => join(dirname(path), name));
	const newest = rotated.at(-1);
	const linesBefore = newest ? Number(newest.slice(-16)) + (await countLines(newest)) : 0;
	return { rotated, linesBefore, lines: await countLines(path) };
}

/** Number of complete lines of the container in a log file: its entries without those that are parts of lines. */
async function countLines(path: string): Promise<number> {
	let count = 0;
	let rest = '';
	try {
		for await (const chunk of createReadStream(path, { encoding: 'latin1' })) {
			const text = rest + chunk;
			const end = text.lastIndexOf('\n') + 1;
			count += text.slice(0, end).match(/^\S+ \w+ F /gm)?.length ?? 0;
			rest = text.slice(end);
		}
	} catch (error) {
		if (!isMissing(error)) throw error;
	}
	return count;
}
