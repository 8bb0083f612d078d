import { open, stat } from 'node:fs/promises';
import { type Clock, sleep } from '../../../base/clock.ts';

/** How often a log must not have grown to be complete, at which interval, and how often that is looked for at most. */
const QUIET_LOOKS = 3;
const LOOK_MS = 10;
const MOST_LOOKS = 100;

/**
 * Resolves once the log of a container that has ended is complete, as far as that can be seen: a runtime writes the last
 * lines at the same time as it reports the end, and does not tell when they are in the file. On a busy machine that takes
 * some milliseconds.
 */
export async function untilLogged(path: string, clock: Clock): Promise<void> {
	let before = await logSize(path);
	let quiet = 0;
	for (let look = 0; look < MOST_LOOKS && quiet < QUIET_LOOKS; look++) {
		await sleep(clock, LOOK_MS);
		const size = await logSize(path);
		quiet = size === before && (await endsWithLine(path, size)) ? quiet + 1 : 0;
		before = size;
	}
}

/** Whether a file of this size has no part of an entry at its end; true for one that is empty or missing. */
async function endsWithLine(path: string, size: number): Promise<boolean> {
	if (size === 0) return true;
	const file = await open(path).catch(() => undefined);
	if (!file) return true;
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
		return bytesRead === 1 && buffer[0] === LINE_END;
	} finally {
		await file.close();
	}
}

const LINE_END = 10;

/** The size of a log; 0 if there is none. */
export async function logSize(path: string): Promise<number> {
	return await stat(path).then(
		({ size }) => size,
		() => 0,
	);
}
