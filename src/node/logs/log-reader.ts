/**
 * Reads the log at a path from its beginning: first the rotated parts (`<path>.<number of lines before>`), oldest
 * first, then the file itself. Each call of `read` continues where the last one stopped, across rotations.
 *
 * 1. Each line is read once, in order. An open part is identified by its inode: the kernel reuses an inode only after
 *    the file is closed, so no other file can have the same one.
 * 2. An open part can be read to its end although rotation has removed it. So {@link LogReader.claim} opens parts
 *    when they appear, also while a slow client delays the reading. The {@link ReadAhead} that the readers of a node
 *    share limits how many parts are open ahead, since each takes a file descriptor.
 * 3. Lines that were removed before their part was opened are counted, and the reader returns their number in their
 *    place: the name of each part says how many lines precede it.
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { isMissing, isSystemShortage, patiently } from '../../base/files/system-error.ts';
import { CriLogParser, type LogLine } from './cri-log-parser.ts';

const PIECE_BYTES = 64 * 1024;

/** A piece of the log: lines, or the number of lines that are missing at this place. */
export type LogPiece =
	| { readonly lines: readonly LogLine[]; readonly lost?: undefined }
	/** Number of lines that rotation removed here before they were read. */
	| { readonly lost: number; readonly lines?: undefined };

/** An open file of the log: a rotated part or the current file. */
interface Part {
	readonly file: FileHandle;
	readonly inode: number;
	readonly lines: CriLogParser;
	/** Offset in bytes at which reading continues. */
	position: number;
	/** Number of lines before this part; undefined until rotation has given it a name that says so. */
	start: number | undefined;
	/** True once it was rotated: nothing is written to it after that. */
	isComplete: boolean;
	/** True if it was taken from the {@link ReadAhead}. */
	readonly isAhead: boolean;
	/** Number of lines read, or known to be missing, before this part; undefined until its first read. */
	linesBefore?: number;
}

/** Limits how many parts all readers of a node together keep open ahead of what they read. */
export class ReadAhead {
	#left: number;

	/** At most `limit` parts at once. */
	constructor(limit: number) {
		this.#left = limit;
	}

	/** Reserves one part; false if the limit is reached. The caller returns it by {@link giveBack}. */
	take(): boolean {
		if (this.#left === 0) return false;
		this.#left -= 1;
		return true;
	}

	/** Returns a part that {@link take} reserved. */
	giveBack(): void {
		this.#left += 1;
	}
}

/** How many parts a reader may open without the ReadAhead: the one that it reads and the next one. */
const ALWAYS_OPEN = 2;

/** See the header of this file. One caller reads; `claim` may be called at any time. */
export class LogReader {
	readonly #path: string;
	readonly #clock: Clock;
	readonly #readAhead: ReadAhead;
	/** The open parts, oldest first. Only the last one may be incomplete. */
	readonly #parts: Part[] = [];
	/** The name of the newest part that was opened or found to be removed: older ones are never opened again. */
	#lastName = '';
	/** Number of lines read or known to be missing. */
	#lines = 0;
	#claiming: Promise<void> = Promise.resolve();
	#isClosed = false;

	constructor(path: string, options: { readonly clock: Clock; readonly readAhead: ReadAhead }) {
		this.#path = path;
		this.#clock = options.clock;
		this.#readAhead = options.readAhead;
	}

	/**
	 * All complete lines that were not read before. With `toPresentEnd` it stops at the end that the log had when it
	 * was called; without it, a container that writes faster than the caller reads would keep it from returning.
	 */
	async *read(options: { readonly toPresentEnd?: boolean } = {}): AsyncGenerator<LogPiece> {
		if (!(await this.#isUnrotated())) await this.claim();
		const end = options.toPresentEnd ? await endOf(this.#parts.at(-1)) : undefined;
		for (let part = this.#parts[0]; part; part = this.#parts[0]) {
			part.linesBefore ??= this.#lines;
			yield* this.#missingBefore(part);
			const { isComplete } = part;
			yield* this.#readPart(part, part === end?.part ? end.position : Number.POSITIVE_INFINITY);
			if (part === end?.part) return;
			if (isComplete) {
				// Rotation may have named the part only after its first read, which then could not know the gap.
				yield* this.#missingBefore(part);
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

	/** Opens the parts that exist now, up to the limits. Calls may overlap; they run one after the other. */
	claim(): Promise<void> {
		const before = this.#claiming.catch(() => undefined);
		this.#claiming = before.then(() => this.#claim());
		return this.#claiming;
	}

	/** Closes all open parts. The reader cannot be used afterwards. */
	async close(): Promise<void> {
		this.#isClosed = true;
		await this.#claiming.catch(() => undefined);
		while (this.#parts.length > 0) await this.#drop();
	}

	async #claim(): Promise<void> {
		try {
			while (!this.#isClosed && !(await this.#claimNow()));
		} catch (error) {
			// With a part open, the reader continues with that one. If it waited here for a file descriptor, readers
			// that hold one and wait for another could take all of them: a deadlock.
			if (!isSystemShortage(error) || this.#parts.length === 0) throw error;
		}
	}

	/** False if rotation happened between listing the parts and opening the file: the caller starts over. */
	async #claimNow(): Promise<boolean> {
		const before = await this.#folderTime();
		for (const name of await this.#olderParts()) if (!(await this.#claimOlder(name))) return true;
		const current = await this.#open(this.#path);
		if (!current) return true;
		const inode = await inodeOf(current);
		const isSettled = (await this.#folderTime()) === before;
		const last = this.#parts.at(-1);
		const isNew = isSettled && inode !== last?.inode;
		// The path has another file, so the one before was rotated, and may have been removed since.
		if (isNew && last) last.isComplete = true;
		const about = { inode, start: undefined, isComplete: false };
		if (!isNew || !this.#add(current, about)) await current.close();
		return isSettled;
	}

	/** When a file was last created, renamed or removed in the folder, in nanoseconds; undefined without folder. */
	async #folderTime(): Promise<bigint | undefined> {
		try {
			return (await stat(dirname(this.#path), { bigint: true })).mtimeNs;
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw error;
		}
	}

	/** Opens a rotated part, unless it is open already or removed. False if the limit is reached. */
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

	/** Waits for a free file descriptor, but not while this reader holds one: see `#claim`. */
	#patiently<T>(call: () => Promise<T>): Promise<T> {
		return this.#parts.length > 0 ? call() : patiently(this.#clock, call);
	}

	#add(file: FileHandle, about: Pick<Part, 'inode' | 'start' | 'isComplete'>): boolean {
		const isAhead = this.#parts.length >= ALWAYS_OPEN;
		if (isAhead && !this.#readAhead.take()) return false;
		this.#parts.push({ file, ...about, isAhead, lines: new CriLogParser(), position: 0 });
		return true;
	}

	/** Closes the first part. */
	async #drop(): Promise<void> {
		const part = this.#parts.shift();
		if (part?.isAhead) this.#readAhead.giveBack();
		await part?.file.close();
	}

	/** The number of lines missing between the part and the one before it, if any, once per gap. */
	*#missingBefore(part: Part): Generator<LogPiece> {
		const { start, linesBefore } = part;
		if (start === undefined || linesBefore === undefined || start <= linesBefore) return;
		const lost = start - linesBefore;
		part.linesBefore = start;
		this.#lines += lost;
		yield { lost };
	}

	async *#readPart(part: Part, end: number): AsyncGenerator<LogPiece> {
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

	/** True if the file at the path is the last open part: there was no rotation since the last claim. */
	async #isUnrotated(): Promise<boolean> {
		const last = this.#parts.at(-1);
		return last !== undefined && !last.isComplete && (await this.#isCurrent(last));
	}

	/** True if the part is the file at the path; false also if there is none. */
	async #isCurrent({ inode }: Part): Promise<boolean> {
		try {
			return (await stat(this.#path)).ino === inode;
		} catch (error) {
			if (isMissing(error)) return false;
			throw error;
		}
	}

	/** The names of the rotated parts that are newer than `#lastName`, oldest first. */
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

/** The number of lines before a part, from its name; undefined for the name of another program's part. */
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
