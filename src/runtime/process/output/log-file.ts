/**
 * The log of one container. Appended entries are queued and written in batches, one write at a time, in order.
 *
 * 1. `append` never waits. The caller checks `isFull`, and stops reading its source until `onDrain`. So at most
 *    {@link FULL_BYTES} and one chunk per output stream are queued for a container that floods.
 * 2. When the file reaches `maxBytes`, it is rotated between two writes: renamed to `<path>.<number of lines before
 *    it>`, with 16 digits. Unlike timestamps, these names sort by age whatever the wall clock does, and a reader that
 *    missed a removed part knows how many lines it lost. The newest `maxFiles - 1` rotated parts are kept.
 * 3. A container must not block on its log: lines that cannot be written (a full disk) are dropped. Once the log can
 *    be written again, a line in it says how many are missing.
 * 4. The first write creates the file and its folder. Creating a file costs 0.1 ms or more (ext4), and many
 *    containers print nothing.
 */
import { unlink } from 'node:fs';
import { logGapText } from '../../../api/contract/log-gap.ts';
import { assert } from '../../../base/assert.ts';
import type { Clock } from '../../../base/clock.ts';
import { patiently } from '../../../base/files/system-error.ts';
import type { LogBytes } from '../../cri-log-writer.ts';
import { type AppendCalls, AppendFile, SYSTEM_CALLS } from './append-file.ts';
import type { DescriptorPool } from './descriptor-pool.ts';
import { findLogParts, rotatedPath } from './log-parts.ts';

/** Queue length in bytes at which the log is full. */
export const FULL_BYTES = 64 * 1024;
/**
 * Throughput limit of a log that is full, in bytes per millisecond. Formatting short lines as CRI log entries costs
 * 2 ms per MiB, so the limit keeps a container that floods at a quarter of the launcher's time.
 */
const THROTTLE_BYTES_PER_MS = 128 * 1024;

/** The path, limits and components of a {@link LogFile}. */
export interface LogFileOptions {
	readonly path: string;
	/** Size in bytes at which the file is rotated; a part exceeds it by at most one batch. */
	readonly maxBytes: number;
	/** Maximum number of parts, the current file included; at least two, as in the kubelet. */
	readonly maxFiles: number;
	readonly clock: Clock;
	/** Limits how many logs are open at once. */
	readonly descriptors: DescriptorPool;
	/** The system calls; tests replace them. */
	readonly calls?: AppendCalls;
	/** The time of day in RFC 3339 with nanoseconds. */
	stamp(): string;
	/** Receives the first of several failures in a row. */
	onError(error: unknown): void;
}

/** See the header of this file. */
export class LogFile {
	readonly #options: LogFileOptions;
	readonly #file: AppendFile;
	/** The paths of the rotated parts, oldest first. */
	#rotated: string[] = [];
	/** Number of lines in all rotated parts, removed ones included. */
	#linesBefore = 0;
	/** Number of lines in the current file. */
	#lines = 0;
	/** The lines dropped since the last successful write. */
	#dropped: { lines: number; error: unknown } | undefined;
	#waiting: LogBytes[] = [];
	#waitingBytes = 0;
	#isWriting = false;
	/** True if the last rotation failed; it is retried after each batch. */
	#isStuck = false;
	/** True until the lines of an earlier launcher are counted. */
	#mustCount = false;
	/** Bytes appended since the last pause of the throttle. */
	#unthrottledBytes = 0;
	#drained: (() => void) | undefined;
	#closed: (() => void) | undefined;

	/** Opens no file. */
	constructor(options: LogFileOptions) {
		assert(options.maxFiles >= 2, 'a log needs two files: one to write and one to read');
		this.#options = options;
		this.#file = new AppendFile(options.path, options.descriptors, options.calls ?? SYSTEM_CALLS);
	}

	/** Appends to the file of an earlier launcher instead of a new one. Called before the first append. */
	continue(): void {
		this.#file.continue();
		this.#mustCount = true;
	}

	/** True if the caller should append no more until the `onDrain` listener is called. */
	get isFull(): boolean {
		return this.#waitingBytes >= FULL_BYTES;
	}

	/** Sets the listener that is called each time the log is no longer full. */
	onDrain(listener: () => void): void {
		this.#drained = listener;
	}

	/** Queues entries for writing. The caller must not change their bytes afterwards. */
	append(text: LogBytes): void {
		const { length } = text.bytes;
		if (length === 0) return;
		this.#waiting.push(text);
		this.#waitingBytes += length;
		this.#unthrottledBytes += length;
		if (!this.#isWriting) void this.#write();
	}

	/** Closes the file once all queued entries are written or dropped, then resolves. */
	close(): Promise<void> {
		return new Promise((resolve) => {
			this.#closed = resolve;
			if (!this.#isWriting) void this.#write();
		});
	}

	/** Writes the queue until it is empty. Never rejects. */
	async #write(): Promise<void> {
		this.#isWriting = true;
		while (this.#waiting.length > 0) {
			const batch = this.#waiting;
			this.#waiting = [];
			await this.#writeBatch(batch);
			if (this.#file.size >= this.#options.maxBytes) await this.#rotate();
			const wasFull = this.isFull;
			for (const { bytes } of batch) this.#waitingBytes -= bytes.length;
			if (wasFull && !this.isFull) this.#drain();
		}
		if (this.#closed && this.#dropped) await this.#writeBatch([]);
		this.#isWriting = false;
		if (!this.#closed) return;
		this.#file.close();
		this.#closed();
	}

	async #writeBatch(batch: readonly LogBytes[]): Promise<void> {
		const lines = batch.reduce((sum, text) => sum + text.lines, 0);
		const gap = this.#dropped && [this.#gapLine(this.#dropped)];
		try {
			const all = [...(gap ?? []), ...batch.map(({ bytes }) => bytes)];
			// Waits for a file descriptor, but not for disk space: a full log pauses the container, maybe for ever.
			await patiently(this.#options.clock, () => this.#file.write(all));
			this.#lines += lines + (gap ? 1 : 0);
			this.#dropped = undefined;
		} catch (error) {
			if (!this.#dropped) this.#options.onError(error);
			this.#dropped = { lines: (this.#dropped?.lines ?? 0) + lines, error };
		}
	}

	/** The entry that reports dropped lines. At least one: a dropped part makes the line it belongs to incomplete. */
	#gapLine({ lines, error }: { readonly lines: number; readonly error: unknown }): Uint8Array {
		const why = `they could not be written: ${error instanceof Error ? error.message : error}`;
		return Buffer.from(`${this.#options.stamp()} stderr F ${logGapText(Math.max(lines, 1), why)}\n`);
	}

	/** Calls the `onDrain` listener, after a pause if more bytes were appended than the throttle allows. */
	#drain(): void {
		const pauseMs = Math.floor(this.#unthrottledBytes / THROTTLE_BYTES_PER_MS);
		this.#unthrottledBytes -= pauseMs * THROTTLE_BYTES_PER_MS;
		if (pauseMs === 0) this.#drained?.();
		else this.#options.clock.setTimer(pauseMs, () => this.#drained?.());
	}

	async #rotate(): Promise<void> {
		try {
			if (this.#mustCount) await this.#count();
			const rotated = rotatedPath(this.#options.path, this.#linesBefore);
			await this.#file.moveTo(rotated);
			this.#rotated.push(rotated);
		} catch (error) {
			// The file grows beyond its limit: the alternative would be to truncate it and lose its lines.
			if (!this.#isStuck) this.#options.onError(error);
			this.#isStuck = true;
			return;
		}
		this.#isStuck = false;
		this.#linesBefore += this.#lines;
		this.#lines = 0;
		while (this.#rotated.length > this.#options.maxFiles - 1) {
			const oldest = this.#rotated.shift();
			if (oldest !== undefined) unlink(oldest, () => {});
		}
	}

	/** Finds the parts that an earlier launcher has written. Only now: a log that never grows needs none of it. */
	async #count(): Promise<void> {
		const { rotated, linesBefore, lines } = await findLogParts(this.#options.path);
		this.#rotated = [...rotated];
		this.#linesBefore = linesBefore;
		this.#lines = lines;
		this.#mustCount = false;
	}
}
