/**
 * The processes of one container: the main process, which leads a session and a process group of its own, its
 * descendants, and the pipes from their output to the log.
 *
 * 1. When the main process exits, the launcher kills the rest of its process group. `ended` resolves after that,
 *    once the log is complete.
 * 2. A process that left the group and keeps a pipe open delays `ended` for a bounded time: after 100 ms, the sweeper
 *    finds it by its mark and kills it; if the pipe is still open 100 ms later, the launcher closes its end.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { basename, isAbsolute } from 'node:path';
import type { Clock, Timer } from '../../../base/clock.ts';
import { isMissing } from '../../../base/files/system-error.ts';
import type { LogTime } from '../../log-time.ts';
import type { Sweeper } from '../folders/sweeper.ts';
import type { DescriptorPool } from '../output/descriptor-pool.ts';
import type { Fifo, FifoPool } from '../output/fifo-pool.ts';
import { LogFile } from '../output/log-file.ts';
import { OutputPump } from '../output/output-pump.ts';
import { exists } from '../start-error.ts';
import { signalGroup, signalProcess } from './process-table.ts';
import type { HostProgram } from './protocol.ts';

/** How long a pipe may stay open after the main process has exited: before the sweep, and again after it. */
const PIPE_WAIT_MS = 100;
/** How many times as long it may stay open while a slow disk delays the log. */
const SLOW_DISK_WAITS = 50;

const STREAMS = ['stdout', 'stderr'] as const;

/** The launcher's components that all containers share. */
export interface ProcessHost {
	readonly clock: Clock;
	readonly logTime: LogTime;
	readonly logDescriptors: DescriptorPool;
	readonly pipes: Pick<FifoPool, 'take'>;
	readonly sweeper: Sweeper;
	onError(error: unknown): void;
}

/** The exit of the main process. */
export interface ProcessEnd {
	/** 128 + the signal number if a signal ended it. */
	readonly exitCode: number;
	readonly signal?: number;
	/** Milliseconds since the epoch. */
	readonly finishedAt: number;
}

/** The program to start, and the log of its output. */
export interface ProcessOptions {
	/** The value of STINT_CONTAINER_ID in the program's environment: see markOf. */
	readonly mark: string;
	readonly program: HostProgram;
	readonly log: { readonly path: string; readonly maxBytes: number; readonly maxFiles: number };
}

/** See the header of this file. */
export class ContainerProcess {
	readonly pid: number;
	/** Resolves when all processes have ended and the log is complete; never rejects. */
	readonly ended: Promise<ProcessEnd>;
	readonly #host: ProcessHost;
	readonly #mark: string;
	readonly #log: LogFile;
	readonly #pumps: readonly OutputPump[];
	/** True once SIGTERM was sent. */
	#hasTerm = false;
	#hasExited = false;
	#kill: { readonly due: number; readonly timer: Timer } | undefined;

	private constructor(parts: {
		pid: number;
		child: ChildProcess;
		mark: string;
		host: ProcessHost;
		log: LogFile;
		pumps: readonly OutputPump[];
	}) {
		this.pid = parts.pid;
		this.#host = parts.host;
		this.#mark = parts.mark;
		this.#log = parts.log;
		this.#pumps = parts.pumps;
		this.#log.onDrain(() => {
			for (const pump of this.#pumps) pump.resume();
		});
		this.ended = this.#whenEnded(parts.child);
	}

	/** Starts the program. Rejects with the system error if the spawn fails. */
	static async start(options: ProcessOptions, host: ProcessHost): Promise<ContainerProcess> {
		const outputs: (Fifo | undefined)[] = [];
		let child: SpawnedProcess;
		try {
			while (outputs.length < STREAMS.length) outputs.push(await host.pipes.take());
			child = await spawnProgram(options.program, outputs);
		} catch (error) {
			for (const output of outputs) if (output) closeBoth(output);
			throw error;
		}
		for (const output of outputs) if (output) closeSync(output.writeFd);
		try {
			return ContainerProcess.#attach(child, outputs, { options, host });
		} catch (error) {
			// The process runs, but its output cannot be logged: kill it, since the start is reported as failed.
			signalGroup(child.pid, 'SIGKILL');
			throw error;
		}
	}

	/** Connects the pipes of the process to its log. */
	static #attach(
		child: SpawnedProcess,
		outputs: readonly (Fifo | undefined)[],
		{ options, host }: { readonly options: ProcessOptions; readonly host: ProcessHost },
	): ContainerProcess {
		const stamp = (): string => host.logTime.stamp();
		const { clock, logDescriptors: descriptors, onError } = host;
		const log = new LogFile({ ...options.log, clock, descriptors, stamp, onError });
		const pumps = STREAMS.map((stream, index) => {
			const fifo = outputs[index];
			const pump = new OutputPump(fifo?.readFd ?? socketOf(child, stream), { stream, log, stamp });
			if (fifo) void pump.ended.then(fifo.release);
			return pump;
		});
		const { mark } = options;
		return new ContainerProcess({ pid: child.pid, child, mark, host, log, pumps });
	}

	/**
	 * Sends SIGTERM to the main process, once, and SIGKILL to the whole group `graceMs` from now, unless an earlier call
	 * set an earlier time. The main process is responsible for its children, as in any container runtime.
	 */
	stop(graceMs: number): void {
		// The kernel may have given the pid to another process.
		if (this.#hasExited) return;
		if (!this.#hasTerm && graceMs > 0) signalProcess(this.pid, 'SIGTERM');
		this.#hasTerm = true;
		const { clock } = this.#host;
		const due = clock.monotonic() + Math.max(graceMs, 0);
		if (this.#kill && this.#kill.due <= due) return;
		this.#kill?.timer.cancel();
		const kill = (): void => signalGroup(this.pid, 'SIGKILL');
		if (graceMs <= 0) kill();
		this.#kill = { due, timer: clock.setTimer(graceMs, kill) };
	}

	#whenEnded(child: ChildProcess): Promise<ProcessEnd> {
		return new Promise((resolve) => {
			child.once('exit', (code, signalName) => {
				this.#hasExited = true;
				this.#kill?.timer.cancel();
				signalGroup(this.pid, 'SIGKILL');
				const finishedAt = this.#host.clock.now();
				const signal = signalName ? constants.signals[signalName] : undefined;
				const exit = { exitCode: signal ? 128 + signal : (code ?? 0), finishedAt };
				const end = signal ? { ...exit, signal } : exit;
				// An error of the log must neither prevent the report of the exit nor end the launcher.
				void this.#completeLog()
					.catch(this.#host.onError)
					.then(() => resolve(end));
			});
		});
	}

	async #completeLog(): Promise<void> {
		if (!(await this.#readWithin(1))) {
			await this.#host.sweeper.sweepNow(this.#mark);
			if (!(await this.#readWithin(SLOW_DISK_WAITS))) for (const pump of this.#pumps) pump.cut();
			await Promise.all(this.#pumps.map((pump) => pump.ended));
		}
		await this.#log.close();
	}

	/**
	 * Waits {@link PIPE_WAIT_MS} for the ends of the pipes; resolves to whether they were reached. While the log is full
	 * it waits up to `waits` times as long: a slow disk is the cause then, and closing a pipe would lose its content.
	 */
	async #readWithin(waits: number): Promise<boolean> {
		const isRead = (): boolean => this.#pumps.every((pump) => pump.hasEnded);
		if (isRead()) return true;
		const read = Promise.all(this.#pumps.map((pump) => pump.ended));
		for (let wait = 0; wait === 0 || (wait < waits && this.#log.isFull && !isRead()); wait++) {
			await new Promise<void>((resolve) => {
				const timer = this.#host.clock.setTimer(PIPE_WAIT_MS, resolve);
				void read.then(() => {
					timer.cancel();
					resolve();
				});
			});
		}
		return isRead();
	}
}

/** A child process whose spawn succeeded. */
type SpawnedProcess = ChildProcess & { readonly pid: number };

function hasPid(child: ChildProcess): child is SpawnedProcess {
	return child.pid !== undefined;
}

/**
 * Spawns the program with `outputs` as its standard output and error. An absolute path inside an image, such as
 * `/usr/local/bin/bash`, need not exist on this machine: the PATH is then searched for its base name.
 */
async function spawnProgram(
	program: HostProgram,
	outputs: readonly (Fifo | undefined)[],
): Promise<SpawnedProcess> {
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
): Promise<SpawnedProcess> {
	const stdio: StdioOptions = ['ignore', ...how.outputs.map((fifo) => fifo?.writeFd ?? 'pipe')];
	const { env, workingDir: cwd } = how.program;
	const child = spawn(file, args, { env, cwd, stdio, detached: true });
	if (hasPid(child)) return child;
	return await new Promise((_, reject) => {
		child.once('error', reject);
	});
}

function socketOf(child: ChildProcess, stream: 'stdout' | 'stderr'): Socket {
	const socket = child[stream];
	if (!(socket instanceof Socket)) throw new Error(`the child has no ${stream}`);
	return socket;
}

/** Closes both ends of a pipe that no process has used, and returns it to the pool. */
function closeBoth(fifo: Fifo): void {
	closeSync(fifo.readFd);
	closeSync(fifo.writeFd);
	fifo.release(true);
}
