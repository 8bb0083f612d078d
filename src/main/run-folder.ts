import { lstatSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemReason } from '../base/files/folders.ts';
import { removeTree } from '../base/files/remove-tree.ts';
import { LAUNCHER_LOCK } from '../runtime/process/launcher/launcher-files.ts';
import { isLocked } from '../runtime/process/launcher/launcher-lock.ts';
import {
	identify,
	isRunning,
	parseIdentity,
	processSpace,
} from '../runtime/process/launcher/process-table.ts';
import { dataFolder } from './server/data-folder.ts';

const PREFIX = 'stint-run-';

/** File with the identity of the process that created the folder and, on a second line, its PID namespace. */
const OWNER = 'owner';

/** The folder of a run could not be created; the message has the path, the reason and what to do. */
export class RunFolderError extends Error {
	override readonly name = 'RunFolderError';
}

/**
 * Creates a temporary folder for one run. Also removes the folders of runs that were killed together with
 * their launcher, or before they had started one: otherwise nothing would remove them. `now` is the wall
 * clock. Rejects with a {@link RunFolderError}.
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
			// The folder belongs to another user, or another run removes it at the same time.
		}
	}
}

/** Whether neither the process that created the folder nor a launcher in it is running. */
function isAbandoned(path: string): boolean {
	const found = lstatSync(path);
	if (!found.isDirectory() || found.uid !== process.geteuid?.()) return false;
	const [identity = '', space] = readFileSync(join(path, OWNER), 'utf8').split('\n');
	const owner = parseIdentity(identity);
	// The process ID of another PID namespace says nothing here: keep the folder.
	if (!owner || space !== processSpace() || isRunning(owner)) return false;
	return !isLocked(join(dataFolder(path).runtime, LAUNCHER_LOCK));
}
