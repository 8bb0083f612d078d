/**
 * Named pipes for the streams of programs; the shim opens them by their paths. Without the shim they are used too: Node
 * gives a child sockets, and a socket cannot be opened by name: `echo oops > /dev/stderr` fails with "No such device or
 * address", although it works in a container. Node cannot create a pipe, so mkfifo(1) creates named ones in bulk, and
 * the pool reuses them: two calls of open(2) per stream (about 10 µs) instead of a socket pair.
 *
 * 1. A pipe returns to the pool only after its end was reached, or if no program was started with it: no process has it
 *    open then.
 * 2. If mkfifo is missing or fails, `take` resolves to undefined: there are no sessions then, and containers are
 *    children of the launcher with sockets. If it fails for want of processes, memory or file descriptors, `take`
 *    rejects, since a retry may succeed.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, rmdirSync, unlink, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { openPrivateFolder } from '../../../base/files/private-files.ts';
import { isSystemShortage } from '../../../base/files/system-error.ts';

/** Number of pipes that one call of mkfifo creates. */
const BATCH = 64;
/** The pool creates another batch when it has fewer free pipes. */
const LOW_WATER = 32;

/** A pipe with both ends open. The caller of `take` closes them. */
export interface Fifo {
	/** Its path, by which another process can open it. */
	readonly path: string;
	readonly readFd: number;
	readonly writeFd: number;
	/** Returns the pipe after both ends are closed. `ended`: no process has it open, so that it can be reused. */
	release(ended: boolean): void;
}

/** See the header of this file. */
export class FifoPool {
	readonly #folder: string;
	readonly #free: string[] = [];
	#made = 0;
	/** The call of mkfifo in progress; resolves to its error, if any. */
	#making: Promise<Error | undefined> | undefined;
	#usable = true;

	/**
	 * Creates `folder`, or removes the pipes of an earlier launcher from it, and starts creating the first batch. The
	 * pipes `inUse` remain, for {@link reopen}. Throws if the folder is a link or belongs to another user.
	 */
	constructor(folder: string, inUse: ReadonlySet<string>) {
		this.#folder = folder;
		openPrivateFolder(folder);
		this.#made = removePipes(folder, inUse);
		this.#making = this.#make();
	}

	/** Opens a free pipe; resolves to undefined if pipes cannot be created on this machine. */
	async take(): Promise<Fifo | undefined> {
		if (this.#free.length < LOW_WATER && this.#usable) this.#making ??= this.#make();
		const failure = this.#free.length === 0 ? await this.#making : undefined;
		if (isSystemShortage(failure)) throw failure;
		const path = this.#free.pop();
		return path === undefined ? undefined : this.#open(path);
	}

	/** Opens the read end of a pipe that an earlier launcher took and a container still uses. Throws the system error. */
	reopen(path: string): Omit<Fifo, 'writeFd'> {
		const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
		return { path, readFd, release: (ended) => this.#release(path, ended) };
	}

	/** Removes pipes that a process may still have open. */
	remove(paths: readonly string[]): void {
		for (const path of paths) unlink(path, () => {});
	}

	/** Removes the pipes, and the folder if it has no other file. */
	close(): void {
		this.#usable = false;
		try {
			removePipes(this.#folder, new Set());
			rmdirSync(this.#folder);
		} catch {
			// The next launcher removes them.
		}
	}

	#open(path: string): Fifo {
		const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
		try {
			const writeFd = openSync(path, constants.O_WRONLY);
			return { path, readFd, writeFd, release: (ended) => this.#release(path, ended) };
		} catch (error) {
			closeSync(readFd);
			throw error;
		}
	}

	#release(path: string, ended: boolean): void {
		if (ended) this.#free.push(path);
		else unlink(path, () => {});
	}

	#make(): Promise<Error | undefined> {
		const paths = Array.from({ length: BATCH }, () => join(this.#folder, String(this.#made++)));
		return new Promise((resolve) => {
			execFile('mkfifo', ['-m', '600', ...paths], (error) => {
				this.#making = undefined;
				if (!error) this.#free.push(...paths);
				else if (!isSystemShortage(error)) this.#usable = false;
				resolve(error ?? undefined);
			});
		});
	}
}

/** Removes the pipes that are not in use; returns a number above those of the others. */
function removePipes(folder: string, inUse: ReadonlySet<string>): number {
	let next = 0;
	for (const name of readdirSync(folder)) {
		if (!/^\d{1,15}$/.test(name)) continue;
		if (inUse.has(join(folder, name))) next = Math.max(next, Number(name) + 1);
		else unlinkSync(join(folder, name));
	}
	return next;
}
