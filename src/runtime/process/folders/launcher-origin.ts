import { readlinkSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';
import type { JournalState } from '../launcher/journal.ts';
import type { Origin } from '../launcher/journal-entry.ts';
import { newKey, processSpace } from '../launcher/process-table.ts';
import { folderIdentity } from './folder-identity.ts';

/**
 * The key of the earlier launcher of this folder, whose processes may have to be found again. A new key if the journal
 * `journaled` was copied from another folder: the launcher there may still use the old one.
 */
export function launcherKeyOf(journaled: JournalState, folder: string): string {
	const isOurs = journaled.folder !== undefined && journaled.folder === folderIdentity(folder);
	return (isOurs ? journaled.key : undefined) ?? newKey();
}

/** The origin that the journal records for the processes that the launcher of `folder` starts. */
export function originOf(folder: string): Origin {
	const identity = folderIdentity(folder);
	return { boot: processSpace(), ...(identity !== undefined && { folder: identity }) };
}

/**
 * The path of the launcher's folder, which it has as its working directory. Read anew each time, since the folder may be
 * renamed; Node keeps what it has read once.
 */
export function workingFolder(): string {
	return attempt(() => readlinkSync('/proc/self/cwd')) ?? process.cwd();
}
