/**
 * The launcher's write-ahead journal: the state that a launcher needs after its predecessor was killed, that is the
 * sandboxes, the containers, their processes, and the exits. One file with a line of JSON per change, which the
 * launcher appends before it reports the change. It survives a crash of the launcher, not of the machine: there is no
 * fsync, because no process survives a crash of the machine either.
 *
 * 1. A line is written completely or not at all. If a full disk takes part of a line, the journal truncates the file
 *    to the end of the line before. If that fails too, it ends the torn line, so that it damages no other line.
 * 2. Lines that could not be written are kept in memory and written first, in order.
 * 3. When the file has grown to several times the size of the state, it is rewritten: into a new file, which then
 *    replaces the old one by a rename. If that fails, the journal keeps using the old file.
 * 4. Reading returns the state by sandbox and container. Damaged lines are skipped and counted.
 */
import {
	closeSync,
	constants,
	fstatSync,
	ftruncateSync,
	openSync,
	renameSync,
	rmSync,
	writeSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { attempt } from '../../../base/attempt.ts';
import { FifoQueue } from '../../../base/collections/fifo-queue.ts';
import { isMissing } from '../../../base/files/system-error.ts';
import type { RuntimeContainer } from '../../contract.ts';
import { readRegularFile } from '../output/regular-file.ts';
import { decodeEntry, type JournalEntry, type Origin, type RunRecord } from './journal-entry.ts';
import { NEXT_SUFFIX } from './launcher-files.ts';
import type { ProcessIdentity } from './process-table.ts';
import type { HostSandbox } from './protocol.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** The state that a journal describes. */
export interface JournalState extends Origin {
	/** By id, each with the name of its working folder. */
	readonly sandboxes: ReadonlyMap<string, { readonly sandbox: HostSandbox; readonly folder: string }>;
	readonly containers: ReadonlyMap<string, RuntimeContainer>;
	/** The main processes, by container id. */
	readonly processes: ReadonlyMap<string, ProcessIdentity>;
	/** How the containers are run, by their id. */
	readonly runs: ReadonlyMap<string, RunRecord>;
	/** Number of lines that could not be decoded and were skipped. */
	readonly damagedLines: number;
}

/** The system calls that write a journal; tests replace them to simulate failures. */
export interface JournalCalls {
	/** Returns how many bytes were written. */
	write(fd: number, bytes: Uint8Array): number;
	truncate(fd: number, size: number): void;
}

const SYSTEM_CALLS: JournalCalls = { write: writeSync, truncate: ftruncateSync };

/** The path and callbacks of a {@link Journal}. */
export interface JournalOptions {
	readonly path: string;
	/** Returns the entries that describe the present state, for a rewrite. */
	current(): Iterable<JournalEntry>;
	/** Receives the first of several failed writes in a row, and each failed rewrite. */
	onError(error: unknown): void;
	readonly calls?: JournalCalls;
}

/** Below this size the file is never rewritten. */
const SMALLEST_REWRITE_BYTES = 1 << 20;
/** The file is rewritten when it has this multiple of its size after the last rewrite. */
const GROWTH = 4;

/** See the header of this file. */
export class Journal {
	readonly #options: JournalOptions;
	readonly #calls: JournalCalls;
	#fd: number;
	#bytes: number;
	/** True if the file ends, or may end, with a part of a line. */
	#isTorn: boolean;
	#rewriteAt = SMALLEST_REWRITE_BYTES;
	/** Recorded lines that are not in the file yet. */
	readonly #unsaved = new FifoQueue<Uint8Array>();

	/**
	 * Writes a new file with the entries of `current`. If that fails, opens the existing file. Throws the system error
	 * if neither is possible.
	 */
	constructor(options: JournalOptions) {
		this.#options = options;
		this.#calls = options.calls ?? SYSTEM_CALLS;
		const made = this.#openFirst();
		[this.#fd, this.#bytes, this.#isTorn] = [made.fd, made.bytes, !made.isNew];
		this.#planRewrite();
	}

	/** True while recorded lines are missing in the file. */
	get isBehind(): boolean {
		return this.#unsaved.size > 0;
	}

	/** Writes an entry before the change is made. Throws the system error: the caller must not make the change then. */
	append(entry: JournalEntry): void {
		this.#saveAll();
		this.#write(lineOf(entry));
	}

	/** Records a change that was made. A line that cannot be written is kept for {@link save}. Never throws. */
	record(entry: JournalEntry): void {
		const wasBehind = this.isBehind;
		this.#unsaved.push(lineOf(entry));
		this.save(wasBehind ? () => {} : this.#options.onError);
	}

	/** Writes the kept lines as far as possible; calls `onError` with the system error if one fails. */
	save(onError: (error: unknown) => void): void {
		try {
			this.#saveAll();
		} catch (error) {
			onError(error);
		}
	}

	/** Closes the file. */
	close(): void {
		closeSync(this.#fd);
	}

	#openFirst(): Opened {
		try {
			return { ...this.#writeAnew(), isNew: true };
		} catch (error) {
			const fd = attempt(() => openSync(this.#options.path, O_WRONLY | O_APPEND | O_NOFOLLOW));
			if (fd === undefined) throw error;
			this.#options.onError(error);
			return { fd, bytes: fstatSync(fd).size, isNew: false };
		}
	}

	#saveAll(): void {
		this.#rewriteIfLarge();
		for (let line = this.#unsaved.first; line; line = this.#unsaved.first) {
			this.#write(line);
			this.#unsaved.shift();
		}
	}

	/** Writes the line completely or not at all. Throws the system error. */
	#write(line: Uint8Array): void {
		const bytes = this.#isTorn ? Buffer.concat([NEWLINE, line]) : line;
		let written = 0;
		try {
			while (written < bytes.length) written += this.#calls.write(this.#fd, bytes.subarray(written));
		} catch (error) {
			if (written > 0) this.#cutBack();
			throw error;
		}
		this.#bytes += written;
		this.#isTorn = false;
	}

	#cutBack(): void {
		try {
			this.#calls.truncate(this.#fd, this.#bytes);
		} catch {
			this.#isTorn = true;
			this.#bytes = fstatSync(this.#fd).size;
		}
	}

	/**
	 * Called before a line is written, never after: `append` writes a line before its change is made, so `current`
	 * does not include it, and a rewrite after the line would lose it.
	 */
	#rewriteIfLarge(): void {
		if (this.#bytes < this.#rewriteAt) return;
		try {
			const made = this.#writeAnew();
			const old = this.#fd;
			[this.#fd, this.#bytes, this.#isTorn] = [made.fd, made.bytes, false];
			closeSync(old);
		} catch (error) {
			this.#options.onError(error);
		}
		this.#planRewrite();
	}

	#planRewrite(): void {
		this.#rewriteAt = Math.max(SMALLEST_REWRITE_BYTES, this.#bytes * GROWTH);
	}

	/** Replaces the file by a new one. Throws the system error and leaves the old file unchanged. */
	#writeAnew(): { readonly fd: number; readonly bytes: number } {
		const { path, current } = this.#options;
		const next = `${path}${NEXT_SUFFIX}`;
		rmSync(next, { force: true });
		const fd = openSync(next, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
		try {
			const bytes = Buffer.concat(Array.from(current(), lineOf));
			for (let written = 0; written < bytes.length; )
				written += this.#calls.write(fd, bytes.subarray(written));
			renameSync(next, path);
			return { fd, bytes: bytes.length };
		} catch (error) {
			closeSync(fd);
			attempt(() => rmSync(next, { force: true }));
			throw error;
		}
	}
}

interface Opened {
	readonly fd: number;
	readonly bytes: number;
	readonly isNew: boolean;
}

const NEWLINE = Buffer.from('\n');

function lineOf(entry: JournalEntry): Uint8Array {
	return Buffer.from(`${JSON.stringify(entry)}\n`);
}

/** Reads the journal at `path`; an empty state if there is none. Throws an Error if it is not a readable file. */
export function readJournal(path: string): JournalState {
	let origin: Origin = { boot: '' };
	/** By working folder, the id of the last sandbox that used it. */
	const owners = new Map<string, string>();
	const state = {
		sandboxes: new Map<string, { sandbox: HostSandbox; folder: string }>(),
		containers: new Map<string, RuntimeContainer>(),
		processes: new Map<string, ProcessIdentity>(),
		runs: new Map<string, RunRecord>(),
		damagedLines: 0,
	};
	for (const line of readLines(path)) {
		if (line === '') continue;
		const entry = decodeEntry(line);
		if (!entry) state.damagedLines += 1;
		else if ('boot' in entry) origin = entry;
		else if ('sandbox' in entry) {
			// A folder belongs to one sandbox at a time: if another one has it, the line about its removal is damaged.
			const before = owners.get(entry.folder);
			if (before !== undefined && before !== entry.sandbox.id) state.sandboxes.delete(before);
			owners.set(entry.folder, entry.sandbox.id);
			state.sandboxes.set(entry.sandbox.id, entry);
		} else if ('container' in entry) state.containers.set(entry.container.id, entry.container);
		else if ('process' in entry) state.processes.set(entry.of, entry.process);
		else if ('run' in entry) state.runs.set(entry.of, entry.run);
		else if ('sandboxGone' in entry) state.sandboxes.delete(entry.sandboxGone);
		else {
			state.containers.delete(entry.containerGone);
			state.processes.delete(entry.containerGone);
			state.runs.delete(entry.containerGone);
		}
	}
	return { ...state, ...origin };
}

function readLines(path: string): readonly string[] {
	try {
		return readRegularFile(path).toString('utf8').split('\n');
	} catch (error) {
		if (isMissing(error)) return [];
		const why = error instanceof Error ? error.message : String(error);
		throw new Error(
			`cannot read the journal ${resolve(path)}, which records the Pods that run here: ${why}; ` +
				'to discard these Pods, move the file away',
		);
	}
}
