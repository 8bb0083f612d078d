import { lstatSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemReason } from '../base/folders.ts';
import { removeTree } from '../base/remove-tree.ts';
import { isLocked, LAUNCHER_LOCK } from '../node/runtime/process/launcher-lock.ts';
import { identify, isRunning, parseIdentity, processSpace } from '../node/runtime/process/process-table.ts';
import { dataFolder } from './data-folder.ts';

const PREFIX = 'stint-run-';

/** Names the process that made the folder, and in a second line the space in which its id has a meaning. */
const OWNER = 'owner';

/** A run cannot have a folder; the message says where, why, and what to do. */
export class RunFolderError extends Error {
	override readonly name = 'RunFolderError';
}

/**
 * Makes a folder for one run, among the temporary files, and removes those of runs that were killed together
 * with their launcher, or before they had one. `now` is the wall clock. Rejects with a {@link RunFolderError}
 * if that is not possible.
 */
export async function makeRunFolder(now: number): Promise<string> {
	let path: string;
	try {
		await removeAbandoned();
		path = mkdtempSync(join(tmpdir(), PREFIX));
	} catch (error) {
		const why = `${systemReason(error)}; choose another with $TMPDIR`;
		throw new RunFolderError(`the folder for temporary files, ${tmpdir()}, cannot be used: ${why}`);
	}
	const owner = `${JSON.stringify(identify(process.pid, now))}\n${processSpace()}`;
	writeFileSync(join(path, OWNER), owner, { mode: 0o600 });
	return path;
}

async function removeAbandoned(): Promise<void> {
	for (const name of readdirSync(tmpdir())) {
		if (!name.startsWith(PREFIX)) continue;
		try {
			const path = join(tmpdir(), name);
			if (isAbandoned(path)) await removeTree(path);
		} catch {
			// It is another user's, or another run removes it at the same time.
		}
	}
}

/** Whether neither the process that made the folder runs any more, nor a launcher in it. */
function isAbandoned(path: string): boolean {
	const found = lstatSync(path);
	if (!found.isDirectory() || found.uid !== process.geteuid?.()) return false;
	const [identity = '', space] = readFileSync(join(path, OWNER), 'utf8').split('\n');
	const owner = parseIdentity(identity);
	// Of the processes in another space nothing is known here.
	if (!owner || space !== processSpace() || isRunning(owner)) return false;
	return !isLocked(join(dataFolder(path).runtime, LAUNCHER_LOCK));
}
