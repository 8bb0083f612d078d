import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CommandError } from '../cli/context.ts';

/** Manifests as they come to the command line: files, folders of them, standard input. */

/** No manifest is so large; a device such as /dev/zero has no end. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The text of a file, a pipe or a device that the user named. Rejects with the system's error, or with a
 * CommandError where it is larger than any manifest.
 */
export async function readManifestFile(path: string): Promise<string> {
	return await textOf(createReadStream(path), path);
}

/** All of standard input, within the same limit. */
export async function readManifestInput(): Promise<string> {
	return await textOf(process.stdin, 'standard input');
}

/**
 * The manifests in a folder by name, or undefined when `path` is no folder. Of what the folder has only files
 * are read, and what links lead to: rejects with a CommandError where a manifest's name stands for anything else.
 */
export async function listManifests(path: string): Promise<readonly string[] | undefined> {
	const found = await stat(path).catch(() => undefined);
	if (!found?.isDirectory()) return undefined;
	const manifests: string[] = [];
	for (const name of (await readdir(path)).sort()) {
		if (!/\.(ya?ml|json)$/.test(name)) continue;
		const file = join(path, name);
		const kind = await stat(file).catch(() => undefined);
		// As kubectl, which does not look into folders either; a link to nowhere is told of when it is read.
		if (kind?.isDirectory()) continue;
		if (kind && !kind.isFile()) throw new CommandError(`${file} is not a regular file`);
		manifests.push(file);
	}
	return manifests;
}

async function textOf(stream: Readable, what: string): Promise<string> {
	const pieces: Buffer[] = [];
	let bytes = 0;
	for await (const piece of stream) {
		pieces.push(piece);
		bytes += piece.length;
		if (bytes > MOST_BYTES) throw new CommandError(`${what} exceeds the limit of 64 MiB for a manifest`);
	}
	return Buffer.concat(pieces).toString('utf8');
}
