/**
 * An append-only file that this class creates or, after a crash of the launcher, continues. A batch is written completely or not at all.
 *
 * 1. The file is a new one, except after `continue`. If the path has a file or a link already, it is removed first, so
 *    that neither an older log nor the target of a link is overwritten.
 * 2. If a write fails in the middle (a full disk), the file is truncated to the start of the batch, so that it
 *    always consists of complete lines.
 * 3. Between two writes, the {@link DescriptorPool} may close the file. The next write opens it again, if the path
 *    still has the same file, and otherwise creates a new one.
 */
import {
	close,
	closeSync,
	constants,
	fstatSync,
	ftruncate,
	lstatSync,
	open,
	openSync,
	readSync,
	unlink,
	writev,
} from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { attempt } from '../../../base/attempt.ts';
import { codeOf, isMissing } from '../../../base/files/system-error.ts';
import type { DescriptorHolder, DescriptorPool } from './descriptor-pool.ts';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** The system calls on the open file; tests replace them to simulate failures. */
export interface AppendCalls {
	/** Resolves to how many bytes were written. */
	writev(fd: number, batch: readonly Uint8Array[]): Promise<number>;
	ftruncate(fd: number, size: number): Promise<void>;
}

const openFile = promisify(open);
const removeFile = promisify(unlink);
const truncateFile = promisify(ftruncate);

/** The real system calls. */
export const SYSTEM_CALLS: AppendCalls = {
	writev: (fd, batch) =>
		new Promise((resolve, reject) => {
			writev(fd, batch, (error, written) => (error ? reject(error) : resolve(written)));
		}),
	ftruncate: truncateFile,
};

/** See the header of this file. The caller makes one call at a time. */
export class AppendFile implements DescriptorHolder {
	readonly #path: string;
	readonly #pool: DescriptorPool;
	readonly #calls: AppendCalls;
	#fd: number | undefined;
	/** Inode of the file created or continued here; undefined before the first write and after `moveTo`. */
	#inode: number | undefined;
	#size = 0;
	/** True if the file ends with a part of a batch that could not be truncated. */
	#isTorn = false;

	constructor(path: string, pool: DescriptorPool, calls: AppendCalls) {
		this.#path = path;
		this.#pool = pool;
		this.#calls = calls;
	}

	/** Size of the file in bytes, without a torn batch at its end. */
	get size(): number {
		return this.#size;
	}

	/** Appends to the file at the path, if there is one, instead of a new one. Called before the first write. */
	continue(): void {
		const stats = lstatSync(this.#path, { throwIfNoEntry: false });
		if (!stats?.isFile()) return;
		this.#inode = stats.ino;
		this.#size = stats.size;
		// The launcher before may have been killed in the middle of a write. A line end too many is harmless.
		this.#isTorn = stats.size > 0 && lastByte(this.#path, stats.size) !== NEWLINE;
	}

	/** Appends the batch. Rejects with the system error if it cannot be written; no part of it is in the file then. */
	async write(batch: readonly Uint8Array[]): Promise<void> {
		await this.#pool.take(this);
		try {
			this.#fd ??= await this.#open();
			await this.#writeAll(this.#fd, this.#isTorn ? [Buffer.from('\n'), ...batch] : batch);
		} finally {
			if (this.#fd === undefined) this.#pool.giveBack(this);
			else this.#pool.markIdle(this);
		}
	}

	/**
	 * Renames the file; the next write creates a new one. Rejects with the system error if the rename fails; the next
	 * write then appends to the same file.
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
		// The writes have been acknowledged: an error of close changes nothing.
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

	/** Truncates the file to the start of a torn batch; resolves to false if that fails as well. */
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

	/** Opens the file created here; undefined if it was removed or replaced by another file or a link. */
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

const NEWLINE = 10;

/** The last byte of a file of `size` bytes; undefined if it cannot be read. */
function lastByte(path: string, size: number): number | undefined {
	return attempt(() => {
		const fd = openSync(path, O_RDONLY | O_NOFOLLOW);
		try {
			const byte = Buffer.alloc(1);
			readSync(fd, byte, 0, 1, size - 1);
			return byte[0];
		} finally {
			closeSync(fd);
		}
	});
}

/** The rest of `batch` after its first `written` bytes. */
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
