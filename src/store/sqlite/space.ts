import type { DatabaseSync } from 'node:sqlite';

/**
 * The room that deleted rows leave in the file. SQLite puts later rows into free pages, so a store in a
 * steady state neither grows nor shrinks. After a burst most of the file would stay empty for ever; what
 * is more than a quarter of it is returned to the disk, a few pages at a time.
 */

/** This many free pages (1 MiB) are kept in any case, so that a small store never returns any. */
const LEAST_KEPT = 256;

/** How many pages one step moves: measured at 3 ms on average, sync of the disk included. */
const STEP = 32;

const INCREMENTAL = 2;

/** Lets {@link shrinkStep} work in a file that was made without that; rewrites such a file, once. */
export function enableShrinking(database: DatabaseSync): void {
	if (numberOf(database, 'auto_vacuum') === INCREMENTAL) return;
	try {
		database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM');
	} catch {
		// A disk that has no room for the second copy: the store works as before, and the next start tries.
	}
}

/** How many pages are free, and how many of those should be returned. */
export function freePages(database: DatabaseSync): { readonly free: number; readonly toReturn: number } {
	const free = numberOf(database, 'freelist_count');
	const kept = Math.max(LEAST_KEPT, numberOf(database, 'page_count') / 4);
	return { free, toReturn: Math.max(0, Math.ceil(free - kept)) };
}

/** Returns up to {@link STEP} free pages to the disk. */
export function shrinkStep(database: DatabaseSync): void {
	database.exec(`PRAGMA incremental_vacuum(${STEP})`);
}

function numberOf(database: DatabaseSync, pragma: 'auto_vacuum' | 'freelist_count' | 'page_count'): number {
	return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma] ?? 0);
}
