/**
 * Copies the engine's log of one container to its CRI log while the container runs. The engine has the log in any case, so
 * nothing is lost while the server does not run: the copy continues where the file ends (written-entries.ts).
 */
import type { Clock } from '../../../base/clock.ts';
import { sleep } from '../../../base/clock.ts';
import type { DescriptorPool } from '../../process/output/descriptor-pool.ts';
import { LogFile } from '../../process/output/log-file.ts';
import type { EngineClient } from '../engine/engine-client.ts';
import { type EngineLogEntry, EngineLogReader } from './engine-log-reader.ts';
import { readWrittenEntries, type WrittenEntries } from './written-entries.ts';

/** What the logs of all containers share. */
export interface LogSettings {
	readonly client: EngineClient;
	readonly clock: Clock;
	/** Limits how many logs are open at once. */
	readonly descriptors: DescriptorPool;
	/** Size in bytes at which a file is rotated, and the maximum number of files of a container. */
	readonly maxBytes: number;
	readonly maxFiles: number;
	/** The time of day in RFC 3339 with nanoseconds. */
	stamp(): string;
	onError(error: unknown): void;
}

/** The container whose log is copied. */
export interface LogSource {
	readonly engineId: string;
	readonly tty: boolean;
	/** The path of the CRI log. */
	readonly path: string;
}

/** Least time between two attempts to follow a log. */
const RETRY_MS = 500;

/** See the header of this file. */
export class EngineLog {
	readonly #settings: LogSettings;
	readonly #source: LogSource;
	#following: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;
	#lastStart = Number.NEGATIVE_INFINITY;

	constructor(settings: LogSettings, source: LogSource) {
		this.#settings = settings;
		this.#source = source;
	}

	/** Copies what the container writes, until it exits or the engine cannot be reached. Does nothing if it does so already. */
	follow(): void {
		if (this.#following) return;
		const abort = new AbortController();
		const ended = this.#follow(abort.signal);
		this.#following = { abort, ended };
		void ended.then(() => {
			if (this.#following?.ended === ended) this.#following = undefined;
		});
	}

	/**
	 * Completes the log of a container that has exited. Rejects if the engine cannot be asked; may be repeated. The log is read
	 * again without following it: Docker 20.10 often ends a stream before a last line without a line end.
	 */
	async complete(): Promise<void> {
		await this.stop();
		await this.#copy({ follow: 0 });
	}

	/** Stops copying; resolves once what was read is in the file. */
	async stop(): Promise<void> {
		this.#following?.abort.abort();
		await this.#following?.ended;
	}

	async #follow(signal: AbortSignal): Promise<void> {
		const { clock, onError } = this.#settings;
		const waitMs = this.#lastStart + RETRY_MS - clock.monotonic();
		if (waitMs > 0) await sleep(clock, waitMs, signal);
		this.#lastStart = clock.monotonic();
		try {
			await this.#copy({ follow: 1, signal });
		} catch (error) {
			if (!signal.aborted) onError(error);
		}
	}

	async #copy({ follow, signal }: { readonly follow: 0 | 1; readonly signal?: AbortSignal }): Promise<void> {
		const { client } = this.#settings;
		const { engineId, tty, path } = this.#source;
		const tail = await readWrittenEntries(path);
		const query = { follow, stdout: 1, stderr: 1, timestamps: 1, since: tail.since };
		const stream = await client.open('GET', `/containers/${engineId}/logs`, {
			query,
			...(signal && { signal }),
		});
		const file = this.#openFile(path);
		const pieces = new EngineLogReader({ tty });
		try {
			for await (const chunk of stream) {
				append(file, tail, pieces.push(chunk));
				if (file.isFull) await new Promise<void>((resolve) => file.onDrain(resolve));
			}
			append(file, tail, pieces.end());
		} finally {
			await file.close();
		}
	}

	#openFile(path: string): LogFile {
		const { clock, descriptors, maxBytes, maxFiles, onError, stamp } = this.#settings;
		const file = new LogFile({ path, maxBytes, maxFiles, clock, descriptors, stamp, onError });
		file.continue();
		return file;
	}
}

/** Appends the entries that the file does not have yet. */
function append(file: LogFile, tail: WrittenEntries, pieces: readonly EngineLogEntry[]): void {
	const fresh = pieces.filter((piece) => !tail.has(piece));
	if (fresh.length === 0) return;
	file.append({
		bytes: Buffer.concat(fresh.map(({ bytes }) => bytes)),
		lines: fresh.reduce((sum, { lines }) => sum + lines, 0),
	});
}
