import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { basename, isAbsolute } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { isMissing } from '../../../base/files/system-error.ts';
import { identify, type ProcessIdentity, signalGroup, signalProcess } from '../launcher/process-table.ts';
import type { HostProgram } from '../launcher/protocol.ts';
import type { Fifo } from '../output/fifo-pool.ts';
import { exists } from '../start-error.ts';
import type { MainProcess, ProcessEnd } from './main-process.ts';

/**
 * A main process that is a child of the launcher: where the shim cannot run. It leads a session and a process group of
 * its own. It ends with the launcher, since nothing else would learn its exit code.
 */
export class SpawnedProcess implements MainProcess {
	readonly endsOthers = false;
	readonly identity: ProcessIdentity;
	readonly exit: Promise<ProcessEnd>;
	/** The child, for the sockets of its output where there are no pipes. */
	readonly child: ChildProcess;
	#hasExited = false;

	private constructor(child: Spawned, clock: Clock) {
		this.child = child;
		this.identity = identify(child.pid, clock.now());
		this.exit = new Promise((resolve) => {
			child.once('exit', (code, signalName) => {
				this.#hasExited = true;
				// The rest of the group: the number stays reserved while the group has a process.
				signalGroup(child.pid, 'SIGKILL');
				const finishedAt = clock.now();
				const signal = signalName ? constants.signals[signalName] : undefined;
				const exit = { exitCode: signal ? 128 + signal : (code ?? 0), finishedAt };
				resolve(signal ? { ...exit, signal } : exit);
			});
		});
	}

	/** Spawns the program with `outputs` as its standard output and error. Rejects with the system error. */
	static async start(
		program: HostProgram,
		outputs: readonly (Fifo | undefined)[],
		clock: Clock,
	): Promise<SpawnedProcess> {
		return new SpawnedProcess(await spawnProgram(program, outputs), clock);
	}

	signal(signal: NodeJS.Signals | number): void {
		// The kernel may have given the pid to another process.
		if (!this.#hasExited) signalProcess(this.identity.pid, signal);
	}

	forget(): void {
		// Nothing else records it.
	}

	kill(): void {
		if (!this.#hasExited) signalGroup(this.identity.pid, 'SIGKILL');
	}
}

/** A child process whose spawn succeeded. */
type Spawned = ChildProcess & { readonly pid: number };

function hasPid(child: ChildProcess): child is Spawned {
	return child.pid !== undefined;
}

/**
 * An absolute path inside an image, such as `/usr/local/bin/bash`, need not exist on this machine: the PATH is then
 * searched for its base name.
 */
async function spawnProgram(program: HostProgram, outputs: readonly (Fifo | undefined)[]): Promise<Spawned> {
	const [file = '', ...args] = program.argv;
	try {
		return await spawnFile(file, args, { program, outputs });
	} catch (error) {
		if (!isMissing(error) || !isAbsolute(file) || (await exists(file))) throw error;
		// If the search fails too, report the first error, which names the path that the user wrote.
		return await spawnFile(basename(file), args, { program, outputs }).catch(() => Promise.reject(error));
	}
}

async function spawnFile(
	file: string,
	args: readonly string[],
	how: { readonly program: HostProgram; readonly outputs: readonly (Fifo | undefined)[] },
): Promise<Spawned> {
	const stdio: StdioOptions = ['ignore', ...how.outputs.map((fifo) => fifo?.writeFd ?? 'pipe')];
	const { env, workingDir: cwd } = how.program;
	const child = spawn(file, args, { env, cwd, stdio, detached: true });
	if (hasPid(child)) return child;
	return await new Promise((_, reject) => {
		child.once('error', reject);
	});
}
