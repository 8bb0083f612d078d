import { dirname } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FolderWatch } from './folder-watch.ts';
import type { LogReader } from './log-reader.ts';

/**
 * How often a log is looked at without having been told of a change, since the system drops notices when
 * there are many at once. Upstream's kubelet does it once a second (`logForceCheckPeriod`).
 */
const FORCED_CHECK_MS = 500;

/** What a {@link LogFollower} works with. */
export interface LogFollowerOptions {
	readonly path: string;
	readonly reader: LogReader;
	readonly clock: Clock;
	/** Wakes the follower when it aborts. */
	readonly signal: AbortSignal;
}

/**
 * Tells when there may be more to read of a log. While its reader is slow, it has the parts that appear
 * opened, so that they can be read after rotation has removed them.
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
			// What fails here fails the next read.
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

	/** Watches no more. */
	stop(): void {
		this.#watch.close();
		this.#options.signal.removeEventListener('abort', this.#wake);
	}
}
