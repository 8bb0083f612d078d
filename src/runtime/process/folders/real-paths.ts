import { realpath } from 'node:fs/promises';
import type { Clock } from '../../../base/clock.ts';

/** How long a path is remembered. */
const REMEMBERED_MS = 1000;

/**
 * Paths without symbolic links. Each is remembered for a second: the Pods of a Job have the same mounts, and a turn through the thread
 * pool for each of them costs more than all else that the server checks of a container. Never synchronous: a path may be on a
 * file system of another machine that does not answer.
 */
export class RealPaths {
	readonly #clock: Pick<Clock, 'monotonic'>;
	#known = new Map<string, Promise<string>>();
	#since = 0;

	constructor(clock: Pick<Clock, 'monotonic'>) {
		this.#clock = clock;
	}

	/** Resolves to `path` itself if nothing is there. */
	of(path: string): Promise<string> {
		const now = this.#clock.monotonic();
		if (now - this.#since >= REMEMBERED_MS) {
			this.#known = new Map();
			this.#since = now;
		}
		const known = this.#known.get(path);
		if (known) return known;
		const found = realpath(path).catch(() => path);
		this.#known.set(path, found);
		return found;
	}
}
