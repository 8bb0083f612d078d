/**
 * A file that is made here and written at its end, a batch whole or not at all.
 *
 * 1. It is never a file that was there before, nor another one by way of a link: what is at the path is
 *    removed and the file made anew.
 * 2. When a write fails in the middle (a full disk), the file is cut back to where the batch began, so that
 *    it holds whole lines whatever happens.
 * 3. Between two writes its place among the open files may go to another holder; it is opened again by the
 *    next write, if it is still the file that was made here.
 */
import { close, constants, fstatSync, ftruncate, open, unlink, writev } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, isMissing } from '../../../base/system-error.ts';
import type { DescriptorHolder, DescriptorPool } from './descriptor-pool.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** The system calls that are made on an open file, so that tests can have them fail. */
export interface AppendCalls {
	/** Resolves to how many bytes were written. */
	writev(fd: number, batch: readonly Uint8Array[]): Promise<number>;
	ftruncate(fd: number, size: number): Promise<void>;
}

const openFile = promisify(open);
const removeFile = promisify(unlink);
const truncateFile = promisify(ftruncate);

/** Those of the system. */
export const SYSTEM_CALLS: AppendCalls = {
	writev: (fd, batch) =>
		new Promise((resolve, reject) => {
			writev(fd, batch, (error, written) => (error ? reject(error) : resolve(written)));
		}),
	ftruncate: truncateFile,
};

/** See the head of this file. Calls come one at a time. */
export class AppendFile implements DescriptorHolder {
	readonly #path: string;
	readonly #pool: DescriptorPool;
	readonly #calls: AppendCalls;
	#fd: number | undefined;
	/** Of the file that was made here, where it exists. */
	#inode: number | undefined;
	#size = 0;
	/** True if the file ends with a part of a batch. */
	#isTorn = false;

	constructor(path: string, pool: DescriptorPool, calls: AppendCalls) {
		this.#path = path;
		this.#pool = pool;
		this.#calls = calls;
	}

	/** How many bytes of batches are in the file. */
	get size(): number {
		return this.#size;
	}

	/** Appends the batch. Rejects with the system's error if it cannot be written; then it is not in the file. */
	async write(batch: readonly Uint8Array[]): Promise<void> {
		await this.#pool.take(this);
		try {
			this.#fd ??= await this.#open();
			await this.#writeAll(this.#fd, this.#isTorn ? [Buffer.from('\n'), ...batch] : batch);
		} finally {
			if (this.#fd === undefined) this.#pool.giveBack(this);
			else this.#pool.rest(this);
		}
	}

	/**
	 * Moves the file to another path; the next write makes a new one. Rejects with the system's error if it
	 * cannot be moved; then the next write appends to it as before.
	 */
	async moveTo(path: string): Promise<void> {
		this.close();
		await rename(this.#path, path);
		this.#inode = undefined;
		this.#size = 0;
		this.#isTorn = false;
	}

	/** Closes the file; another write opens it again. */
	close(): void {
		if (this.#fd === undefined) return;
		this.closeIdle();
		this.#pool.giveBack(this);
	}

	closeIdle(): void {
		// What close says does not matter once the writes have been acknowledged.
		if (this.#fd !== undefined) close(this.#fd, () => {});
		this.#fd = undefined;
	}

	async #writeAll(fd: number, batch: readonly Uint8Array[]): Promise<void> {
		let rest = batch;
		let written = 0;
		const wasTorn = this.#isTorn;
		try {
			while (rest.length > 0) {
				const count = await this.#calls.writev(fd, rest);
				written += count;
				rest = after(rest, count);
			}
		} catch (error) {
			if (written > 0) this.#isTorn = !(await this.#cutBack(fd));
			throw error;
		}
		this.#size = wasTorn ? fstatSync(fd).size : this.#size + written;
		this.#isTorn = false;
	}

	/** Removes what was written of a batch; false where even that fails. */
	async #cutBack(fd: number): Promise<boolean> {
		try {
			await this.#calls.ftruncate(fd, this.#size);
			return true;
		} catch {
			return false;
		}
	}

	async #open(): Promise<number> {
		const again = this.#inode === undefined ? undefined : await this.#openAgain(this.#inode);
		if (again !== undefined) return again;
		this.#size = 0;
		this.#isTorn = false;
		try {
			return await this.#create();
		} catch (error) {
			if (isMissing(error)) await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
			else if (codeOf(error) === 'EEXIST') await removeFile(this.#path);
			else throw error;
			return await this.#create();
		}
	}

	async #create(): Promise<number> {
		const fd = await openFile(this.#path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
		this.#inode = fstatSync(fd).ino;
		return fd;
	}

	/** Undefined if it is not there any more, or another file is. */
	async #openAgain(inode: number): Promise<number | undefined> {
		try {
			const fd = await openFile(this.#path, O_WRONLY | O_APPEND | O_NOFOLLOW);
			if (fstatSync(fd).ino === inode) return fd;
			close(fd, () => {});
			return undefined;
		} catch (error) {
			if (['ENOENT', 'ELOOP'].includes(codeOf(error))) return undefined;
			throw error;
		}
	}
}

/** What is left of `batch` once its first `written` bytes are gone. */
function after(batch: readonly Uint8Array[], written: number): readonly Uint8Array[] {
	let gone = written;
	let index = 0;
	for (const bytes of batch) {
		if (gone < bytes.length) break;
		gone -= bytes.length;
		index++;
	}
	const [first, ...others] = batch.slice(index);
	return first ? [first.subarray(gone), ...others] : [];
}
