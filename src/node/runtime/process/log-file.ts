/**
 * The log of one container: what is appended is written in batches, one write at a time, in order.
 *
 * 1. `append` never waits; its caller looks at `isFull` and stops reading its source until `onDrain`. So a
 *    container that floods holds at most {@link FULL_BYTES} and one chunk here.
 * 2. A file that reaches `maxBytes` is set aside between two writes as `<path>.<lines before it>`, a number of
 *    16 digits: the names sort by age, whatever the wall clock does, and a reader that was too slow for a part
 *    that is removed knows how many lines it has missed. Of those parts the newest `maxFiles - 1` stay.
 * 3. A container must not hang on its log: what cannot be written (a full disk) is dropped, and a line in the
 *    log says how many lines are missing once it can be written again.
 * 4. The file, and its folder where need be, are made with the first write: to make a file costs 0.1 ms or
 *    more (ext4), and many containers say nothing.
 */
import { unlink } from 'node:fs';
import { logGapText } from '../../../api/meta/log-gap.ts';
import { assert } from '../../../base/assert.ts';
import type { Clock } from '../../../base/clock.ts';
import { patiently } from '../../../base/system-error.ts';
import type { LogBytes } from '../cri-lines.ts';
import { type AppendCalls, AppendFile, SYSTEM_CALLS } from './append-file.ts';
import type { DescriptorPool } from './descriptor-pool.ts';

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
	/** How many parts there may be, the current one included; two or more, as the kubelet has it. */
	readonly maxFiles: number;
	readonly clock: Clock;
	/** Limits how many logs are open at once. */
	readonly descriptors: DescriptorPool;
	/** The system's, except in tests. */
	readonly calls?: AppendCalls;
	/** The time of day in RFC 3339 with nanoseconds. */
	stamp(): string;
	/** Told of the first of several failures in a row. */
	onError(error: unknown): void;
}

/** See the head of this file. */
export class LogFile {
	readonly #options: LogFileOptions;
	readonly #file: AppendFile;
	/** The paths of the parts that were set aside, oldest first. */
	readonly #aside: string[] = [];
	/** How many lines are in the parts that were set aside, and in the file. */
	#linesBefore = 0;
	#lines = 0;
	/** What was dropped since a batch was written. */
	#dropped: { lines: number; error: unknown } | undefined;
	#waiting: LogBytes[] = [];
	#waitingBytes = 0;
	#isWriting = false;
	/** The file could not be set aside the last time it was tried; that is tried again after each batch. */
	#isStuck = false;
	/** Written since the last rest. */
	#unrestedBytes = 0;
	#drained: (() => void) | undefined;
	#closed: (() => void) | undefined;

	/** Nothing is opened yet. */
	constructor(options: LogFileOptions) {
		assert(options.maxFiles >= 2, 'a log needs two files: one to write and one to read');
		this.#options = options;
		this.#file = new AppendFile(options.path, options.descriptors, options.calls ?? SYSTEM_CALLS);
	}

	/** True when no more should be appended until `onDrain` calls. */
	get isFull(): boolean {
		return this.#waitingBytes >= FULL_BYTES;
	}

	/** Calls `listener` each time the file stops being full. */
	onDrain(listener: () => void): void {
		this.#drained = listener;
	}

	/** Puts `text` in line to be written; its bytes must not change any more. */
	append(text: LogBytes): void {
		const { length } = text.bytes;
		if (length === 0) return;
		this.#waiting.push(text);
		this.#waitingBytes += length;
		this.#unrestedBytes += length;
		if (!this.#isWriting) void this.#write();
	}

	/** Resolves when all that was appended is written, or dropped; the file is closed then. */
	close(): Promise<void> {
		return new Promise((resolve) => {
			this.#closed = resolve;
			if (!this.#isWriting) void this.#write();
		});
	}

	/** Writes all that waits. Never rejects. */
	async #write(): Promise<void> {
		this.#isWriting = true;
		while (this.#waiting.length > 0) {
			const batch = this.#waiting;
			this.#waiting = [];
			await this.#writeBatch(batch);
			if (this.#file.size >= this.#options.maxBytes) await this.#setAside();
			const wasFull = this.isFull;
			for (const { bytes } of batch) this.#waitingBytes -= bytes.length;
			if (wasFull && !this.isFull) this.#rest();
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
			// Meanwhile the container is held back; a full disk would hold it back for ever.
			await patiently(this.#options.clock, () => this.#file.write(all));
			this.#lines += lines + (gap ? 1 : 0);
			this.#dropped = undefined;
		} catch (error) {
			if (!this.#dropped) this.#options.onError(error);
			this.#dropped = { lines: (this.#dropped?.lines ?? 0) + lines, error };
		}
	}

	/** What was dropped may be a part of a line only; the line that it belongs to is missing too. */
	#gapLine({ lines, error }: { readonly lines: number; readonly error: unknown }): Uint8Array {
		const why = `they could not be written: ${error instanceof Error ? error.message : error}`;
		return Buffer.from(`${this.#options.stamp()} stderr F ${logGapText(Math.max(lines, 1), why)}\n`);
	}

	/** Tells that there is room again, later where much was written. */
	#rest(): void {
		const restMs = Math.floor(this.#unrestedBytes / REST_BYTES_PER_MS);
		this.#unrestedBytes -= restMs * REST_BYTES_PER_MS;
		if (restMs === 0) this.#drained?.();
		else this.#options.clock.setTimer(restMs, () => this.#drained?.());
	}

	async #setAside(): Promise<void> {
		const aside = `${this.#options.path}.${String(this.#linesBefore).padStart(16, '0')}`;
		try {
			await this.#file.moveTo(aside);
		} catch (error) {
			// The file grows beyond its limit, which is better than to lose what it holds.
			if (!this.#isStuck) this.#options.onError(error);
			this.#isStuck = true;
			return;
		}
		this.#isStuck = false;
		this.#aside.push(aside);
		this.#linesBefore += this.#lines;
		this.#lines = 0;
		while (this.#aside.length > this.#options.maxFiles - 1) {
			const oldest = this.#aside.shift();
			if (oldest !== undefined) unlink(oldest, () => {});
		}
	}
}
