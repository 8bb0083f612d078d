/**
 * Free space in the file. SQLite reuses the pages of deleted rows for later ones, so a store in a steady
 * state neither grows nor shrinks. After a burst most of the file would stay empty forever, so free pages
 * beyond a quarter of the file are returned to the file system, a few at a time. Not by VACUUM: it rewrites
 * the whole file in one blocking call.
 */

import type { DatabaseSync } from 'node:sqlite';

/** Number of free pages that are always kept (1 MiB), so that a small store never returns any. */
const LEAST_KEPT = 256;

/** Number of pages that one step returns: 3 ms on average, including the sync of the disk. */
const STEP = 32;

const INCREMENTAL = 2;

/**
 * Enables {@link shrinkStep} for a file that was created without incremental vacuum, by rewriting it once.
 */
export function enableShrinking(database: DatabaseSync): void {
	if (numberOf(database, 'auto_vacuum') === INCREMENTAL) return;
	try {
		database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
	} catch {
		// No space for the second copy: the store works without shrinking, and the next start tries again.
	}
}

/** The number of free pages that should be returned. */
export function pagesToReturn(database: DatabaseSync): number {
	const free = numberOf(database, 'freelist_count');
	const kept = Math.max(LEAST_KEPT, numberOf(database, 'page_count') / 4);
	return Math.max(0, Math.ceil(free - kept));
}

/** Returns up to {@link STEP} free pages to the file system. */
export function shrinkStep(database: DatabaseSync): void {
	database.exec(`PRAGMA incremental_vacuum(${STEP})`);
}

function numberOf(database: DatabaseSync, pragma: 'auto_vacuum' | 'freelist_count' | 'page_count'): number {
	return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0);
}
