/**
 * Pipes for the output of programs. Node itself gives a child sockets, and a socket cannot be opened by
 * name: `echo oops > /dev/stderr` fails with "No such device or address", though in a container it works.
 * So these are named pipes, made in bulk by mkfifo(1) and used again and again: a pair of opens per
 * stream (about 10 µs) instead of a socket pair.
 *
 * 1. A pipe goes back into the pool only when its end was seen: then no process holds it any more.
 * 2. Where mkfifo is missing or fails, `take` resolves to undefined and the caller makes do with sockets.
 *    If it fails for want of processes, memory or open files, `take` rejects, since it may succeed later.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, rmdirSync, unlink, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { openPrivateFolder } from '../../../base/private-files.ts';
import { isSystemShortage } from '../../../base/system-error.ts';

const BATCH = 64;
const LOW_WATER = 32;

/** One pipe: both ends are open files, which whoever takes it closes. */
export interface Fifo {
	readonly readFd: number;
	readonly writeFd: number;
	/** Gives the pipe back, once both ends are closed here; `ended` says that its end was seen. */
	release(ended: boolean): void;
}

/** See the head of this file. */
export class FifoPool {
	readonly #folder: string;
	readonly #free: string[] = [];
	#made = 0;
	/** Resolves to why no pipes could be made, if so. */
	#making: Promise<Error | undefined> | undefined;
	#usable = true;

	/** Makes `folder`, or empties it of pipes, and makes the first pipes in the background. Throws if it is not safe. */
	constructor(folder: string) {
		this.#folder = folder;
		openPrivateFolder(folder);
		removePipes(folder);
		this.#making = this.#make();
	}

	/** A pipe, or undefined where there are none. */
	async take(): Promise<Fifo | undefined> {
		if (this.#free.length < LOW_WATER && this.#usable) this.#making ??= this.#make();
		const failure = this.#free.length === 0 ? await this.#making : undefined;
		if (isSystemShortage(failure)) throw failure;
		const path = this.#free.pop();
		return path === undefined ? undefined : this.#open(path);
	}

	/** Removes the pipes, and the folder if nothing else is in it. */
	close(): void {
		this.#usable = false;
		try {
			removePipes(this.#folder);
			rmdirSync(this.#folder);
		} catch {
			// The next launcher removes them.
		}
	}

	#open(path: string): Fifo {
		const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
		try {
			const writeFd = openSync(path, constants.O_WRONLY);
			return { readFd, writeFd, release: (ended) => this.#release(path, ended) };
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

function removePipes(folder: string): void {
	for (const name of readdirSync(folder)) if (/^\d+$/.test(name)) unlinkSync(join(folder, name));
}
