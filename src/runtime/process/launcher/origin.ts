import { folderIdentity } from '../folders/folder-identity.ts';
import type { JournalState } from './journal.ts';
import type { Origin } from './journal-entry.ts';
import { newKey, processSpace } from './process-table.ts';

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
