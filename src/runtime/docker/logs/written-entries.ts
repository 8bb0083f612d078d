/**
 * Where a log continues after a restart, read from the file itself: it is the only record that cannot disagree with the
 * file. The engine is asked for its entries since a time shortly before the last one of the file; those that are in the
 * file already are left out. Entries are compared by their time and stream, and counted: of Podman's, those of one second
 * have the same time. The times of both outputs need not be in order, which is why it starts earlier than the last one.
 */
import { open, stat, truncate } from 'node:fs/promises';
import { linesMissingAt } from '../../../api/contract/log-gap.ts';
import { undefinedIfMissing } from '../../../base/files/system-error.ts';
import { findLogParts } from '../../process/output/log-parts.ts';
import type { EngineLogEntry } from './engine-log-reader.ts';

/** What a log has already. */
export interface WrittenEntries {
	/** Entries before this time, in seconds since the epoch, are in the file; undefined if the file has none. */
	readonly since: number | undefined;
	/** Whether the file has the entry already. Called once for each entry from `since` on, in their order. */
	has(piece: Pick<EngineLogEntry, 'time' | 'stream'>): boolean;
}

/** How much later than another entry one may have been written that has an earlier time. */
const DISORDER_MS = 100;
const FIRST_READ_BYTES = 64 * 1024;
const ENTRY = /^(\d{4}-\S+Z) (stdout|stderr) [FP] ([\s\S]*)$/;

interface Entry {
	readonly time: string;
	readonly key: string;
}

/** Reads the end of the log at `path`, and removes an entry that was not written completely. */
export async function readWrittenEntries(path: string): Promise<WrittenEntries> {
	await removeTornEntry(path);
	const { rotated } = await findLogParts(path);
	const paths = [...rotated.slice(-1), path];
	const { entries } = await entriesAtEnd(paths, FIRST_READ_BYTES);
	const newest = entries
		.map(({ time }) => time)
		.sort()
		.at(-1);
	if (newest === undefined) return { since: undefined, has: () => false };
	const since = Math.floor((Date.parse(newest) - DISORDER_MS) / 1000);
	const counts = await countSince(paths, since);
	return {
		since,
		has: ({ time, stream }) => {
			const key = keyOf(time, stream);
			const left = counts.get(key) ?? 0;
			if (left > 0) counts.set(key, left - 1);
			return left > 0;
		},
	};
}

/** The numbers of entries since a time in seconds, by their keys. */
async function countSince(paths: readonly string[], since: number): Promise<Map<string, number>> {
	for (let bytes = FIRST_READ_BYTES; ; bytes *= 4) {
		const { entries, isAll } = await entriesAtEnd(paths, bytes);
		const [first] = entries;
		// Entries are nearly in order: one a second before means that all later ones have been read.
		const isEnough = first !== undefined && Date.parse(first.time) < (since - 1) * 1000;
		if (!isAll && !isEnough) continue;
		const counts = new Map<string, number>();
		for (const { time, key } of entries) {
			if (Date.parse(time) >= since * 1000) counts.set(key, (counts.get(key) ?? 0) + 1);
		}
		return counts;
	}
}

/** The entries in the last `bytes` bytes of the files, which are parts of one log, the oldest first. */
async function entriesAtEnd(
	paths: readonly string[],
	bytes: number,
): Promise<{ readonly entries: readonly Entry[]; readonly isAll: boolean }> {
	let text = '';
	let left = bytes;
	for (const path of paths.toReversed()) {
		const { end, size } = await lastBytes(path, left);
		text = end + text;
		left -= size;
		if (left <= 0) break;
	}
	const isAll = left > 0;
	const lines = text.split('\n');
	// The first line may be cut.
	if (!isAll) lines.shift();
	return { entries: lines.flatMap(entryOf), isAll };
}

function entryOf(line: string): readonly Entry[] {
	const [, time = '', stream = '', text = ''] = ENTRY.exec(line) ?? [];
	// A line of stint's own, about lines that could not be written.
	if (time === '' || linesMissingAt(text) > 0) return [];
	return [{ time, key: keyOf(time, stream) }];
}

function keyOf(time: string, stream: string): string {
	return `${time} ${stream}`;
}

/** The last bytes of a file, at most `limit`, and the size of the file. */
async function lastBytes(
	path: string,
	limit: number,
): Promise<{ readonly end: string; readonly size: number }> {
	const file = await open(path).catch(undefinedIfMissing);
	if (!file) return { end: '', size: 0 };
	try {
		const { size } = await file.stat();
		const buffer = Buffer.alloc(Math.min(size, limit));
		const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
		return { end: buffer.toString('latin1', 0, bytesRead), size };
	} finally {
		await file.close();
	}
}

/** Cuts the file behind its last line end: the server may have been killed in the middle of a write. */
async function removeTornEntry(path: string): Promise<void> {
	const found = await stat(path).catch(undefinedIfMissing);
	if (!found?.isFile() || found.size === 0) return;
	// Longer than an entry can be.
	const { end } = await lastBytes(path, FIRST_READ_BYTES);
	const torn = end.length - (end.lastIndexOf('\n') + 1);
	if (torn > 0) await truncate(path, found.size - torn);
}
