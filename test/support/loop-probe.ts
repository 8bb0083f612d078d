import { appendFileSync } from 'node:fs';
import { threadCpuUsage } from 'node:process';

/**
 * Loaded into a server under test by `--import`: notes each time that its event loop was held, in the file
 * that $STINT_LOOP_PROBE names with the process id behind it, a line of JSON each. What is measured is the
 * CPU time that the main thread used between two turns of the loop, so that other processes which take the
 * CPU away do not count.
 */

const file = `${process.env.STINT_LOOP_PROBE}.${process.pid}`;

/** Shorter holds are not noted. */
const NOTED_MS = 40;

const usedMs = (): number => {
	const { user, system } = threadCpuUsage();
	return (user + system) / 1000;
};

let before = usedMs();

setInterval(() => {
	const now = usedMs();
	const heldMs = now - before;
	if (heldMs >= NOTED_MS) appendFileSync(file, `${JSON.stringify({ heldMs, at: Date.now() })}\n`);
	before = usedMs();
}, 5).unref();
