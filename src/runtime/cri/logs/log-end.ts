import { stat } from 'node:fs/promises';
import { type Clock, sleep } from '../../../base/clock.ts';

/** How long a log must not have grown to be complete, and how often that is looked for at most. */
const QUIET_MS = 10;
const MOST_LOOKS = 20;

/**
 * Resolves once the log of a container that has ended is complete, as far as that can be seen: a runtime writes the last
 * lines at the same time as it reports the end, and does not tell when they are in the file.
 */
export async function untilLogged(path: string, clock: Clock): Promise<void> {
	let before = -1;
	for (let look = 0; look < MOST_LOOKS; look++) {
		const size = await logSize(path);
		if (size === before) return;
		before = size;
		await sleep(clock, QUIET_MS);
	}
}

/** The size of a file; 0 if there is none. */
export async function logSize(path: string): Promise<number> {
	return await stat(path).then(
		({ size }) => size,
		() => 0,
	);
}
