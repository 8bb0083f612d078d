/**
 * What the launcher must know again after it was killed: which sandboxes and containers there are, which
 * processes run for them, and how those that ended did. One file, a line of JSON per change, appended
 * before the change is told to anybody. It survives the launcher, not a crash of the machine: nothing
 * waits for the disk, because no process outlives the machine's crash either.
 *
 * 1. A line is written whole or not at all: what a full disk took of it is cut off again, or else ended, so
 *    that no other line is lost with it.
 * 2. What has happened and could not be written is written as soon as it can be, before anything else.
 * 3. The file is written anew when it has grown to several times of what it describes: into a new file, which
 *    then takes the place of the old one. If that fails, the old one is used on.
 * 4. Reading it gives the state by sandbox and container; a line that is damaged is passed over and counted.
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
import { FifoQueue } from '../../../base/fifo-queue.ts';
import { isMissing } from '../../../base/system-error.ts';
import type { ContainerStatus, Sandbox } from '../runtime.ts';
import { decodeEntry, type JournalEntry, type Origin } from './journal-entry.ts';
import type { ProcessIdentity } from './process-table.ts';
import { readRegularFile } from './regular-file.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** What a journal says there is. */
export interface JournalState extends Origin {
	/** With the name of its working folder. */
	readonly sandboxes: ReadonlyMap<string, { readonly sandbox: Sandbox; readonly folder: string }>;
	readonly containers: ReadonlyMap<string, ContainerStatus>;
	/** By container. */
	readonly processes: ReadonlyMap<string, ProcessIdentity>;
	/** How many lines say nothing that can be understood. */
	readonly damagedLines: number;
}

/** The system calls that write a journal, so that tests can have them fail. */
export interface JournalCalls {
	/** Returns how many bytes were written. */
	write(fd: number, bytes: Uint8Array): number;
	truncate(fd: number, size: number): void;
}

const SYSTEM_CALLS: JournalCalls = { write: writeSync, truncate: ftruncateSync };

/** What a {@link Journal} is made of. */
export interface JournalOptions {
	readonly path: string;
	/** All entries that describe what there is now. */
	current(): Iterable<JournalEntry>;
	onError(error: unknown): void;
	readonly calls?: JournalCalls;
}

const SMALLEST_REWRITE_BYTES = 1 << 20;
const GROWTH = 4;

/** See the head of this file. */
export class Journal {
	readonly #options: JournalOptions;
	readonly #calls: JournalCalls;
	#fd: number;
	#bytes: number;
	/** True if the file ends, or may end, with a part of a line. */
	#isTorn: boolean;
	#rewriteAt = SMALLEST_REWRITE_BYTES;
	/** Lines about what has happened, which could not be written yet. */
	readonly #unsaved = new FifoQueue<Uint8Array>();

	/**
	 * Writes the file anew with what `current` gives, or opens the one that is there if it cannot be. Throws
	 * the system's error if neither is possible.
	 */
	constructor(options: JournalOptions) {
		this.#options = options;
		this.#calls = options.calls ?? SYSTEM_CALLS;
		const made = this.#openFirst();
		[this.#fd, this.#bytes, this.#isTorn] = [made.fd, made.bytes, !made.isNew];
		this.#planRewrite();
	}

	/** True while something that has happened is not in the file. */
	get isBehind(): boolean {
		return this.#unsaved.size > 0;
	}

	/** Records what is about to happen. Throws the system's error if it cannot be written: then it must not happen. */
	append(entry: JournalEntry): void {
		this.#saveAll();
		this.#write(lineOf(entry));
	}

	/** Records what has happened; what cannot be written is kept for {@link save}. */
	record(entry: JournalEntry): void {
		const wasBehind = this.isBehind;
		this.#unsaved.push(lineOf(entry));
		this.save(wasBehind ? () => {} : this.#options.onError);
	}

	/** Writes what could not be written before, as far as possible; `onError` is told what is in the way. */
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

	/** Writes the line whole; if that fails, not at all. */
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
	 * Before a line is written, and not after it: what the line is about may not have happened yet, so that
	 * `current` does not know of it.
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

	/** Puts a new file in the place of the old one. Throws the system's error, with nothing changed. */
	#writeAnew(): { readonly fd: number; readonly bytes: number } {
		const { path, current } = this.#options;
		const next = `${path}.next`;
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

/** Reads what the journal at `path` says; nothing if there is none. Throws if it is no file that can be read. */
export function readJournal(path: string): JournalState {
	let origin: Origin = { boot: '' };
	/** The last sandbox that each folder was given to. */
	const owners = new Map<string, string>();
	const state = {
		sandboxes: new Map<string, { sandbox: Sandbox; folder: string }>(),
		containers: new Map<string, ContainerStatus>(),
		processes: new Map<string, ProcessIdentity>(),
		damagedLines: 0,
	};
	for (const line of readLines(path)) {
		if (line === '') continue;
		const entry = decodeEntry(line);
		if (!entry) state.damagedLines += 1;
		else if ('boot' in entry) origin = entry;
		else if ('sandbox' in entry) {
			// A folder is one sandbox's at a time: if another one has it, the line that removed that one is damaged.
			const before = owners.get(entry.folder);
			if (before !== undefined && before !== entry.sandbox.id) state.sandboxes.delete(before);
			owners.set(entry.folder, entry.sandbox.id);
			state.sandboxes.set(entry.sandbox.id, entry);
		} else if ('container' in entry) state.containers.set(entry.container.id, entry.container);
		else if ('process' in entry) state.processes.set(entry.of, entry.process);
		else if ('sandboxGone' in entry) state.sandboxes.delete(entry.sandboxGone);
		else {
			state.containers.delete(entry.containerGone);
			state.processes.delete(entry.containerGone);
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
			`the journal ${resolve(path)}, which says what Pods run here, cannot be read: ${why}; move it away to forget them`,
		);
	}
}
