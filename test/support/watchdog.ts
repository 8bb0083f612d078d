/**
 * Loaded into every test file's process by `npm test`: ends a process that hangs, and prints what it waits
 * for. A test that waits for an event that never comes would otherwise block the whole run.
 */
import { execFileSync } from 'node:child_process';

/** Several times what the slowest file takes on a busy machine. */
const LONGEST_FILE_MS = 600_000;

// Not in the process of the test runner, which runs all files and so has no limit of its own.
if (process.env.NODE_TEST_CONTEXT !== undefined) setTimeout(end, LONGEST_FILE_MS).unref();

function end(): void {
	const resources = process.getActiveResourcesInfo().join(', ') || 'nothing';
	const limit = `${LONGEST_FILE_MS / 1000} s`;
	process.stderr.write(`${process.argv[1]} has not ended within ${limit}; it waits for: ${resources}\n`);
	const processes = execFileSync('ps', ['-eo', 'pid,ppid,stat,args'], { encoding: 'utf8' });
	// Prints the processes of this checkout, found by the path of its own Node: launchers and servers.
	const own = processes.split('\n').filter((line) => line.includes(process.cwd()));
	process.stderr.write(`${own.join('\n')}\n`);
	process.exit(1);
}
