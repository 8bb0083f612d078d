import { appendFileSync } from 'node:fs';
import { threadCpuUsage } from 'node:process';

/**
 * Loaded into a server under test by `--import`. It records every long turn of the event loop as a line of
 * JSON in the file $STINT_LOOP_PROBE.<process id>. It measures the CPU time of the main thread between two
 * turns, and not the wall clock, so that other processes on a busy machine do not count.
 */

const file = `${process.env.STINT_LOOP_PROBE}.${process.pid}`;

/** Shorter turns are not recorded. */
const RECORDED_MS = 40;

const usedMs = (): number => {
	const { user, system } = threadCpuUsage();
	return (user + system) / 1000;
};

let before = usedMs();

setInterval(() => {
	const now = usedMs();
	const heldMs = now - before;
	if (heldMs >= RECORDED_MS) appendFileSync(file, `${JSON.stringify({ heldMs, at: Date.now() })}\n`);
	before = usedMs();
}, 5).unref();
