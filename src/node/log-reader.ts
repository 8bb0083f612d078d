/**
 * Reads the log at a path from its beginning: first the older parts that rotation has set aside
 * (`<path>.<number of lines before>`), then the file itself. Another call continues where the last one
 * stopped, also across rotations in between.
 *
 * 1. Each line is read once, in order. A part is told apart by its inode as long as it is open, so by then
 *    no other file can have the same.
 * 2. A part that is open can be read to its end after rotation has removed it. So {@link LogReader.claim}
 *    opens the parts when they appear, also while the reader of the lines is slow; how many may be open
 *    ahead is limited by the {@link ReadAhead} that the readers of a node share.
 * 3. Lines that were removed before their part was opened are counted, and the number is told in their place:
 *    each part says by its name how many lines there are before it.
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { isMissing, isSystemShortage, patiently } from '../base/system-error.ts';
import { type LogLine, LogLines } from './log-lines.ts';

const PIECE_BYTES = 64 * 1024;

/** What a reader comes across: lines, or a place where lines are missing. */
export type LogPiece =
	| { readonly lines: readonly LogLine[]; readonly lost?: undefined }
	/** How many lines are missing here. */
	| { readonly lost: number; readonly lines?: undefined };

/** A file of the log that is open. */
interface Part {
	readonly file: FileHandle;
	readonly inode: number;
	readonly lines: LogLines;
	/** Where reading continues. */
	position: number;
	/** How many lines there are before this part, once its name says so. */
	start: number | undefined;
	/** True once it was set aside: then nothing is written to it any more. */
	isComplete: boolean;
	/** Whether it counts among those of the {@link ReadAhead}. */
	readonly isAhead: boolean;
	/** How many lines were read, or known to be missing, before this part; undefined until it is begun. */
	begunAt?: number;
}

/** Limits how many parts the readers of a node may have open ahead of what they read. */
export class ReadAhead {
	#left: number;

	/** At most `limit` parts in all. */
	constructor(limit: number) {
		this.#left = limit;
	}

	/** True if one more may be opened. */
	take(): boolean {
		if (this.#left === 0) return false;
		this.#left -= 1;
		return true;
	}

	/** Gives back what {@link take} took. */
	giveBack(): void {
		this.#left += 1;
	}
}

/** How many parts a reader may have open at any time: the one it reads and the one after it. */
const ALWAYS_OPEN = 2;

/** See the head of this file. */
export class LogReader {
	readonly #path: string;
	readonly #clock: Clock;
	readonly #readAhead: ReadAhead;
	/** The parts that are open, in order. Only the last one may be incomplete. */
	readonly #parts: Part[] = [];
	/** The name of the last part that was opened, or was found to be gone. */
	#lastName = '';
	/** How many lines were read or are known to be missing. */
	#lines = 0;
	#claiming: Promise<void> = Promise.resolve();
	#isClosed = false;

	constructor(path: string, options: { readonly clock: Clock; readonly readAhead: ReadAhead }) {
		this.#path = path;
		this.#clock = options.clock;
		this.#readAhead = options.readAhead;
	}

	/**
	 * All whole lines that are there by now and were not read before. With `toPresentEnd` it stops at what
	 * was there when it was called, however much is written meanwhile.
	 */
	async *read(options: { readonly toPresentEnd?: boolean } = {}): AsyncGenerator<LogPiece> {
		if (!(await this.#hasNoNews())) await this.claim();
		const end = options.toPresentEnd ? await endOf(this.#parts.at(-1)) : undefined;
		for (let part = this.#parts[0]; part; part = this.#parts[0]) {
			part.begunAt ??= this.#lines;
			yield* this.#tellMissing(part);
			const { isComplete } = part;
			yield* this.#readOn(part, part === end?.part ? end.position : Number.POSITIVE_INFINITY);
			if (part === end?.part) return;
			if (isComplete) {
				// Its name may have become known only after it was begun.
				yield* this.#tellMissing(part);
				await this.#drop();
				if (!end) await this.claim();
			} else if (await this.#isCurrent(part)) {
				return;
			} else {
				await this.claim();
				if (!part.isComplete) return;
			}
		}
	}

	/** Opens the parts that are there by now, as many as may be. Calls may overlap. */
	claim(): Promise<void> {
		const before = this.#claiming.catch(() => undefined);
		this.#claiming = before.then(() => this.#claim());
		return this.#claiming;
	}

	/** Closes all that is open; the reader cannot be used after that. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#claiming.catch(() => undefined);
		while (this.#parts.length > 0) await this.#drop();
	}

	async #claim(): Promise<void> {
		try {
			while (!this.#isClosed && !(await this.#claimNow()));
		} catch (error) {
			// What is open can be read meanwhile. A reader that waited here for another file might wait for ever:
			// all files may be open for readers that wait for one more.
			if (!isSystemShortage(error) || this.#parts.length === 0) throw error;
		}
	}

	/** False if a part may have been passed over, since it was set aside after the older ones were listed. */
	async #claimNow(): Promise<boolean> {
		const before = await this.#folderTime();
		for (const name of await this.#olderParts()) if (!(await this.#claimOlder(name))) return true;
		const current = await this.#open(this.#path);
		if (!current) return true;
		const inode = await inodeOf(current);
		const isSettled = (await this.#folderTime()) === before;
		const last = this.#parts.at(-1);
		const isNew = isSettled && inode !== last?.inode;
		// Another file is at the path, so the one before was set aside, and perhaps removed since.
		if (isNew && last) last.isComplete = true;
		const about = { inode, start: undefined, isComplete: false };
		if (!isNew || !this.#add(current, about)) await current.close();
		return isSettled;
	}

	/** When files were last made, moved or removed in the folder, in nanoseconds. */
	async #folderTime(): Promise<bigint | undefined> {
		try {
			return (await stat(dirname(this.#path), { bigint: true })).mtimeNs;
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw error;
		}
	}

	/** False if no more parts may be opened now. */
	async #claimOlder(name: string): Promise<boolean> {
		const file = await this.#open(join(dirname(this.#path), name));
		if (file) {
			const inode = await inodeOf(file);
			const start = startIn(name);
			const last = this.#parts.at(-1);
			if (last) last.isComplete = true;
			if (last?.inode === inode) {
				last.start = start;
				await file.close();
			} else if (!this.#add(file, { inode, start, isComplete: true })) {
				await file.close();
				return false;
			}
		}
		this.#lastName = name;
		return true;
	}

	async #open(path: string): Promise<FileHandle | undefined> {
		try {
			return await this.#patiently(() => open(path, 'r'));
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw error;
		}
	}

	/** Waits for a file that may be opened, but not while it keeps others from being opened. */
	#patiently<T>(act: () => Promise<T>): Promise<T> {
		return this.#parts.length > 0 ? act() : patiently(this.#clock, act);
	}

	#add(file: FileHandle, about: Pick<Part, 'inode' | 'start' | 'isComplete'>): boolean {
		const isAhead = this.#parts.length >= ALWAYS_OPEN;
		if (isAhead && !this.#readAhead.take()) return false;
		this.#parts.push({ file, ...about, isAhead, lines: new LogLines(), position: 0 });
		return true;
	}

	/** Closes the first part. */
	async #drop(): Promise<void> {
		const part = this.#parts.shift();
		if (part?.isAhead) this.#readAhead.giveBack();
		await part?.file.close();
	}

	/** The lines between the part and the one before it, if any are missing. */
	*#tellMissing(part: Part): Generator<LogPiece> {
		const { start, begunAt } = part;
		if (start === undefined || begunAt === undefined || start <= begunAt) return;
		const lost = start - begunAt;
		part.begunAt = start;
		this.#lines += lost;
		yield { lost };
	}

	async *#readOn(part: Part, end: number): AsyncGenerator<LogPiece> {
		while (part.position < end) {
			const length = Math.min(PIECE_BYTES, end - part.position);
			const { bytesRead, buffer } = await part.file.read(
				Buffer.allocUnsafeSlow(length),
				0,
				length,
				part.position,
			);
			if (bytesRead === 0) return;
			part.position += bytesRead;
			const lines = part.lines.push(buffer.subarray(0, bytesRead));
			for (const line of lines) if (!line.isPartial) this.#lines += 1;
			if (lines.length > 0) yield { lines };
		}
	}

	/** True if the file at the path is the last part that is open, as it is between rotations. */
	async #hasNoNews(): Promise<boolean> {
		const last = this.#parts.at(-1);
		return last !== undefined && !last.isComplete && (await this.#isCurrent(last));
	}

	/** Whether the part is still the file at the path. If there is none, the last part still is the last. */
	async #isCurrent({ inode }: Part): Promise<boolean> {
		try {
			return (await stat(this.#path)).ino === inode;
		} catch (error) {
			if (isMissing(error)) return false;
			throw error;
		}
	}

	/** The names of the parts that were set aside after the last one that was opened, oldest first. */
	async #olderParts(): Promise<readonly string[]> {
		const prefix = `${basename(this.#path)}.`;
		try {
			const names = await this.#patiently(() => readdir(dirname(this.#path)));
			return names.filter((name) => name.startsWith(prefix) && name > this.#lastName).sort();
		} catch (error) {
			if (isMissing(error)) return [];
			throw error;
		}
	}
}

/** The number of lines before a part, by its name; undefined if another program has named it. */
function startIn(name: string): number | undefined {
	const [, digits] = /\.(\d{16})$/.exec(name) ?? [];
	return digits === undefined ? undefined : Number(digits);
}

async function endOf(part: Part | undefined): Promise<{ part: Part; position: number } | undefined> {
	return part && { part, position: (await part.file.stat()).size };
}

async function inodeOf(file: FileHandle): Promise<number> {
	return (await file.stat()).ino;
}
