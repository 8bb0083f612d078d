/** Reads the manifests of `-f`: files, folders, standard input. */

import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CommandError } from '../cli/context.ts';

/** Limit for one input: far above any manifest, and necessary since a device such as /dev/zero has no end. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The text of a file, pipe or device. Rejects with the system's error, or with a CommandError if it is larger
 * than {@link MOST_BYTES}.
 */
export async function readManifestFile(path: string): Promise<string> {
	return await textOf(createReadStream(path), path);
}

/** The text of standard input, with the same limit. */
export async function readManifestInput(): Promise<string> {
	return await textOf(process.stdin, 'standard input');
}

/**
 * The manifest files of a folder (.yaml, .yml, .json), sorted by name; undefined if `path` is not a folder.
 * Subfolders are skipped. Rejects with a CommandError if such a name is, or links to, something other than a
 * regular file.
 */
export async function listManifests(path: string): Promise<readonly string[] | undefined> {
	const found = await stat(path).catch(() => undefined);
	if (!found?.isDirectory()) return undefined;
	const manifests: string[] = [];
	for (const name of (await readdir(path)).sort()) {
		if (!/\.(ya?ml|json)$/.test(name)) continue;
		const file = join(path, name);
		const kind = await stat(file).catch(() => undefined);
		// Skip subfolders, as kubectl without -R. A dangling link is included: reading it will report the error.
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
