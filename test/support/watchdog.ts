/**
 * Loaded into every test file's process by `npm test`: ends one that stands still, and says what it stood on. A test
 * that waits for something that never comes would otherwise hold the whole run until somebody stops it.
 */
import { execFileSync } from 'node:child_process';

/** Several times what the slowest file takes on a busy machine. */
const LONGEST_FILE_MS = 600_000;

// The process that runs the files has no time limit of its own.
if (process.env.NODE_TEST_CONTEXT !== undefined) setTimeout(end, LONGEST_FILE_MS).unref();

function end(): void {
	const resources = process.getActiveResourcesInfo().join(', ') || 'nothing';
	const limit = `${LONGEST_FILE_MS / 1000} s`;
	process.stderr.write(`${process.argv[1]} has not ended within ${limit}; it waits for: ${resources}\n`);
	const processes = execFileSync('ps', ['-eo', 'pid,ppid,stat,args'], { encoding: 'utf8' });
	// Those of this checkout: launchers and servers run its own Node.
	const own = processes.split('\n').filter((line) => line.includes(process.cwd()));
	process.stderr.write(`${own.join('\n')}\n`);
	process.exit(1);
}
