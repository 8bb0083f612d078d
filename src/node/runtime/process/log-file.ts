/**
 * The log file of one container: what is appended is written in batches, one write at a time, in order.
 *
 * 1. `append` never waits; whoever appends looks at `isFull` and stops reading its source until `onDrain`.
 *    So a container that floods holds at most {@link FULL_BYTES} and one chunk here.
 * 2. A file that reaches `maxBytes` is set aside as `<path>.<first byte>-<time>` between two writes; of those
 *    parts the newest `maxFiles - 1` stay.
 * 3. The file, and its folder where need be, are made with the first write: to make a file costs 0.1 ms or
 *    more (ext4), and many containers say nothing. What cannot be written (a full disk) is dropped and told once: a container must not hang on its log.
 */
import { close, open, rename, unlink, writev } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../../../base/clock.ts';

const openFile = promisify(open);

/** How much may wait to be written before the source should pause. */
export const FULL_BYTES = 64 * 1024;
/**
 * How much of a log a container may have written in a millisecond, averaged over the times it was full. To
 * turn short lines into those of a log costs 2 ms per MiB, so a container that floods takes a quarter of the
 * launcher's time and not all of it.
 */
const REST_BYTES_PER_MS = 128 * 1024;

/** Where and how much. */
export interface LogFileOptions {
	readonly path: string;
	/** A part of the log gets no longer than this and one batch. */
	readonly maxBytes: number;
	/** How many parts there may be, the current one included. */
	readonly maxFiles: number;
	readonly clock: Clock;
	/** The time of day in RFC 3339 with nanoseconds. */
	stamp(): string;
	onError(error: unknown): void;
}

/** See the head of this file. */
export class LogFile {
	readonly #options: LogFileOptions;
	readonly #aside: string[] = [];
	#fd: number | undefined;
	#size = 0;
	/** How much of the log is in parts that were set aside, removed ones included. */
	#asideBytes = 0;
	#waiting: Uint8Array[] = [];
	#waitingBytes = 0;
	#writing = false;
	#failed = false;
	/** Written since the last rest. */
	#unrestedBytes = 0;
	#drained: (() => void) | undefined;
	#closed: (() => void) | undefined;

	/** Nothing is opened yet. */
	constructor(options: LogFileOptions) {
		this.#options = options;
	}

	/** True when no more should be appended until `onDrain` calls. */
	get isFull(): boolean {
		return this.#waitingBytes >= FULL_BYTES;
	}

	/** Calls `listener` each time the file stops being full. */
	onDrain(listener: () => void): void {
		this.#drained = listener;
	}

	/** Puts `bytes` in line to be written; they must not change any more. */
	append(bytes: Uint8Array): void {
		if (bytes.length === 0) return;
		this.#waiting.push(bytes);
		this.#waitingBytes += bytes.length;
		this.#unrestedBytes += bytes.length;
		if (!this.#writing) this.#write();
	}

	/** Resolves when all that was appended is written; the file is closed then. */
	close(): Promise<void> {
		return new Promise((resolve) => {
			this.#closed = resolve;
			if (!this.#writing) this.#finish();
		});
	}

	#write(): void {
		this.#writing = true;
		if (this.#fd === undefined) {
			this.#open(() => this.#writeBatch());
			return;
		}
		this.#writeBatch();
	}

	#writeBatch(): void {
		const batch = this.#waiting;
		this.#waiting = [];
		this.#writeAll(batch, (error) => {
			if (error) this.#fail(error);
			const wasFull = this.isFull;
			for (const { length } of batch) this.#waitingBytes -= length;
			if (this.#size < this.#options.maxBytes) this.#next(wasFull);
			else this.#setAside(() => this.#next(wasFull));
		});
	}

	#next(wasFull: boolean): void {
		this.#writing = false;
		if (this.#waiting.length > 0) this.#write();
		else if (this.#closed) this.#finish();
		if (wasFull && !this.isFull) this.#rest();
	}

	/** Tells that there is room again, later where much was written. */
	#rest(): void {
		const restMs = Math.floor(this.#unrestedBytes / REST_BYTES_PER_MS);
		this.#unrestedBytes -= restMs * REST_BYTES_PER_MS;
		if (restMs === 0) this.#drained?.();
		else this.#options.clock.setTimer(restMs, () => this.#drained?.());
	}

	#writeAll(batch: readonly Uint8Array[], done: (error: Error | null) => void): void {
		if (this.#fd === undefined) {
			done(null);
			return;
		}
		writev(this.#fd, batch, (error, written) => {
			if (error) return done(error);
			this.#size += written;
			const rest = after(batch, written);
			if (rest.length === 0) done(null);
			else this.#writeAll(rest, done);
		});
	}

	/** Opens the file; where that fails, what waits is dropped and the next write tries again. */
	#open(done: () => void): void {
		openForAppend(this.#options.path)
			.then((fd) => {
				this.#fd = fd;
			}, this.#fail)
			.then(done);
	}

	/** Lets go of the file; what close says does not matter once the writes have been acknowledged. */
	#letGo(): void {
		if (this.#fd !== undefined) close(this.#fd, () => {});
		this.#fd = undefined;
	}

	#finish(): void {
		this.#letGo();
		this.#closed?.();
	}

	#setAside(done: () => void): void {
		const { path } = this.#options;
		// By the first byte, so that the parts are in order whatever the clock does, and a gap can be measured.
		const from = String(this.#asideBytes).padStart(15, '0');
		const aside = `${path}.${from}-${this.#options.stamp().replaceAll(':', '')}`;
		this.#letGo();
		this.#asideBytes += this.#size;
		this.#size = 0;
		rename(path, aside, (error) => {
			if (error) this.#fail(error);
			else this.#aside.push(aside);
			this.#dropOldest();
			done();
		});
	}

	#dropOldest(): void {
		while (this.#aside.length > Math.max(this.#options.maxFiles - 1, 0)) {
			const oldest = this.#aside.shift();
			if (oldest !== undefined) unlink(oldest, () => {});
		}
	}

	readonly #fail = (error: unknown): void => {
		if (this.#failed) return;
		this.#failed = true;
		this.#options.onError(error);
	};
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

async function openForAppend(path: string): Promise<number> {
	try {
		return await openFile(path, 'a', 0o600);
	} catch (error) {
		if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
		await mkdir(dirname(path), { recursive: true, mode: 0o700 });
		return await openFile(path, 'a', 0o600);
	}
}
