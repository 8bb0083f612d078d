import { dirname } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { FolderWatch } from './folder-watch.ts';
import type { LogReader } from './log-reader.ts';

/**
 * How often a log is checked although no change was reported: inotify drops events when its queue is full. The
 * kubelet checks once a second (`logForceCheckPeriod` in kuberuntime/logs).
 */
const FORCED_CHECK_MS = 500;

/** The log and the components of a {@link LogFollower}. */
export interface LogFollowerOptions {
	readonly path: string;
	readonly reader: LogReader;
	readonly clock: Clock;
	/** Its abort wakes the follower; the caller checks it after each {@link LogFollower.next}. */
	readonly signal: AbortSignal;
}

/**
 * Waits until a log may have new lines. When rotation creates a part, it has the reader open it at once: the reader
 * can then read the part even if rotation removes it before a slow client gets there.
 */
export class LogFollower {
	readonly #options: LogFollowerOptions;
	readonly #watch: FolderWatch;
	#changed = Promise.withResolvers<void>();
	readonly #wake = (): void => this.#changed.resolve();

	constructor(options: LogFollowerOptions) {
		const { path, reader, clock, signal } = options;
		this.#options = options;
		this.#watch = new FolderWatch(dirname(path), clock, (change) => {
			// A failure is not lost: the next read meets it again.
			if (change === 'files') reader.claim().catch(() => undefined);
			this.#wake();
		});
		signal.addEventListener('abort', this.#wake, { once: true });
	}

	/** Makes {@link next} resolve. */
	wake(): void {
		this.#wake();
	}

	/** Resolves when the log or its container may have changed since the last call. */
	async next(): Promise<void> {
		const timer = this.#options.clock.setTimer(FORCED_CHECK_MS, this.#wake);
		await this.#changed.promise;
		timer.cancel();
		this.#changed = Promise.withResolvers<void>();
	}

	/** Stops watching. */
	stop(): void {
		this.#watch.close();
		this.#options.signal.removeEventListener('abort', this.#wake);
	}
}
