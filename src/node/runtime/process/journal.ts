/**
 * What the launcher must know again after it was killed: which sandboxes and containers there are, which
 * processes run for them, and how those that ended did. One file, a line of JSON per change, appended
 * before the change is told to anybody. It survives the launcher, not a crash of the machine: nothing
 * waits for the disk, because no process outlives the machine's crash either.
 *
 * Reading it gives the state by sandbox and container; a torn last line is left out. It is written anew
 * when it has grown to several times of what it describes.
 */
import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { isMissing } from '../../../base/system-error.ts';
import type { ContainerStatus, Sandbox } from '../runtime.ts';
import type { ProcessIdentity } from './process-table.ts';

/** One change. */
export type JournalEntry =
	/** The machine was started at a time with this id when the following processes were. */
	| { readonly boot: string }
	| { readonly sandbox: Sandbox; readonly folder: string }
	/** The container is about to start, runs or has ended. */
	| { readonly container: ContainerStatus }
	/** Its main process. */
	| { readonly process: ProcessIdentity; readonly of: string }
	| { readonly sandboxGone: string }
	| { readonly containerGone: string };

/** What a journal says there is. */
export interface JournalState {
	readonly boot: string;
	/** With the name of its working folder. */
	readonly sandboxes: ReadonlyMap<string, { readonly sandbox: Sandbox; readonly folder: string }>;
	readonly containers: ReadonlyMap<string, ContainerStatus>;
	/** By container. */
	readonly processes: ReadonlyMap<string, ProcessIdentity>;
}

const SMALLEST_REWRITE_BYTES = 1 << 20;
const GROWTH = 4;

/** See the head of this file. */
export class Journal {
	readonly #path: string;
	readonly #current: () => Iterable<JournalEntry>;
	#fd: number;
	#bytes = 0;
	#rewriteAt = SMALLEST_REWRITE_BYTES;

	/** Writes the file anew with what `current` gives, and again each time it has grown too far. */
	constructor(path: string, current: () => Iterable<JournalEntry>) {
		this.#path = path;
		this.#current = current;
		this.#fd = this.#rewrite();
	}

	/** Records a change. Throws when it cannot be written. */
	append(entry: JournalEntry): void {
		this.#bytes += writeSync(this.#fd, `${JSON.stringify(entry)}\n`);
		if (this.#bytes < this.#rewriteAt) return;
		closeSync(this.#fd);
		this.#fd = this.#rewrite();
	}

	/** Lets go of the file. */
	close(): void {
		closeSync(this.#fd);
	}

	#rewrite(): number {
		const lines = Array.from(this.#current(), (entry) => `${JSON.stringify(entry)}\n`);
		const text = lines.join('');
		const next = `${this.#path}.next`;
		writeFileSync(next, text, { mode: 0o600 });
		renameSync(next, this.#path);
		this.#bytes = Buffer.byteLength(text);
		this.#rewriteAt = Math.max(SMALLEST_REWRITE_BYTES, this.#bytes * GROWTH);
		return openSync(this.#path, 'a');
	}
}

/** Reads what the journal at `path` says; nothing when there is none. */
export function readJournal(path: string): JournalState {
	const state = {
		boot: '',
		sandboxes: new Map<string, { sandbox: Sandbox; folder: string }>(),
		containers: new Map<string, ContainerStatus>(),
		processes: new Map<string, ProcessIdentity>(),
	};
	for (const line of readLines(path)) {
		const entry = parseEntry(line);
		if (!entry) continue;
		if ('boot' in entry) state.boot = entry.boot;
		else if ('sandbox' in entry) state.sandboxes.set(entry.sandbox.id, entry);
		else if ('container' in entry) state.containers.set(entry.container.id, entry.container);
		else if ('process' in entry) state.processes.set(entry.of, entry.process);
		else if ('sandboxGone' in entry) state.sandboxes.delete(entry.sandboxGone);
		else {
			state.containers.delete(entry.containerGone);
			state.processes.delete(entry.containerGone);
		}
	}
	return state;
}

function readLines(path: string): readonly string[] {
	try {
		return readFileSync(path, 'utf8').split('\n');
	} catch (error) {
		if (isMissing(error)) return [];
		throw error;
	}
}

function parseEntry(line: string): JournalEntry | undefined {
	try {
		// Only a launcher writes this file, in a folder that only its user can enter.
		return JSON.parse(line) as JournalEntry;
	} catch {
		return undefined;
	}
}
