/**
 * One container's processes: the main one, which leads a session and a process group of its own, whatever
 * it starts, and the pipes from both to the log.
 *
 * 1. When the main process has ended, the rest of its group is killed. `ended` resolves after that, once
 *    the log is complete.
 * 2. A process that left the group and keeps a pipe open delays that only for a short time: then it is
 *    looked for by its mark and killed, and after as long again the pipe is cut.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { basename, isAbsolute } from 'node:path';
import type { Clock, Timer } from '../../../base/clock.ts';
import { isMissing } from '../../../base/system-error.ts';
import type { LogTime } from '../log-time.ts';
import type { DescriptorPool } from './descriptor-pool.ts';
import type { Fifo, FifoPool } from './fifo-pool.ts';
import { LogFile } from './log-file.ts';
import { OutputPump } from './output-pump.ts';
import { signalGroup, signalProcess } from './process-table.ts';
import type { HostProgram } from './protocol.ts';
import { exists } from './start-error.ts';
import type { Sweeper } from './sweeper.ts';

/** How long a pipe may stay open after the main process has ended, before and after a search. */
const PIPE_WAIT_MS = 100;
const SLOW_DISK_WAITS = 50;

const STREAMS = ['stdout', 'stderr'] as const;

/** What a container's process needs of the launcher. */
export interface ProcessHost {
	readonly clock: Clock;
	readonly logTime: LogTime;
	readonly logDescriptors: DescriptorPool;
	readonly pipes: Pick<FifoPool, 'take'>;
	readonly sweeper: Sweeper;
	onError(error: unknown): void;
}

/** How the main process ended. */
export interface ProcessEnd {
	/** 128 + the signal where a signal ended it. */
	readonly exitCode: number;
	readonly signal?: number;
	/** Milliseconds since the epoch. */
	readonly finishedAt: number;
}

/** What to start, and where its output goes. */
export interface ProcessOptions {
	/** That the program's environment carries: see markOf. */
	readonly mark: string;
	readonly program: HostProgram;
	readonly log: { readonly path: string; readonly maxBytes: number; readonly maxFiles: number };
}

/** See the head of this file. */
export class ContainerProcess {
	readonly pid: number;
	/** Resolves when all is over and the log is complete; never rejects. */
	readonly ended: Promise<ProcessEnd>;
	readonly #host: ProcessHost;
	readonly #mark: string;
	readonly #log: LogFile;
	readonly #pumps: readonly OutputPump[];
	#asked = false;
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
		this.ended = this.#untilEnded(parts.child);
	}

	/** Starts the program. Rejects with the system's error when it cannot be. */
	static async start(options: ProcessOptions, host: ProcessHost): Promise<ContainerProcess> {
		const outputs: (Fifo | undefined)[] = [];
		let child: SpawnedProcess;
		try {
			while (outputs.length < STREAMS.length) outputs.push(await host.pipes.take());
			child = await spawnProgram(options.program, outputs);
		} catch (error) {
			for (const output of outputs) if (output) giveBack(output);
			throw error;
		}
		for (const output of outputs) if (output) closeSync(output.writeFd);
		try {
			return ContainerProcess.#attach(child, outputs, { options, host });
		} catch (error) {
			// A process whose output goes nowhere must not run on.
			signalGroup(child.pid, 'SIGKILL');
			throw error;
		}
	}

	/** Has what the process writes go to its log. */
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
	 * Asks the main process to end, once, and kills the whole group `graceMs` from now unless that is due
	 * earlier. The other processes are the main one's to end, as in any container runtime.
	 */
	stop(graceMs: number): void {
		// Its id may be another process's by now.
		if (this.#hasExited) return;
		if (!this.#asked && graceMs > 0) signalProcess(this.pid, 'SIGTERM');
		this.#asked = true;
		const { clock } = this.#host;
		const due = clock.monotonic() + Math.max(graceMs, 0);
		if (this.#kill && this.#kill.due <= due) return;
		this.#kill?.timer.cancel();
		const kill = (): void => signalGroup(this.pid, 'SIGKILL');
		if (graceMs <= 0) kill();
		this.#kill = { due, timer: clock.setTimer(graceMs, kill) };
	}

	#untilEnded(child: ChildProcess): Promise<ProcessEnd> {
		return new Promise((resolve) => {
			child.once('exit', (code, signalName) => {
				this.#hasExited = true;
				this.#kill?.timer.cancel();
				signalGroup(this.pid, 'SIGKILL');
				const finishedAt = this.#host.clock.now();
				const signal = signalName ? constants.signals[signalName] : undefined;
				const end = { exitCode: signal ? 128 + signal : (code ?? 0), finishedAt };
				const told = signal ? { ...end, signal } : end;
				// What goes wrong with the log must not keep the end from being told, nor end the launcher.
				void this.#completeLog()
					.catch(this.#host.onError)
					.then(() => resolve(told));
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
	 * Whether the pipes end within the time they have. It is given `waits` times as long as it is the log's
	 * disk that is slow, since then what a pipe still holds would be lost.
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

/** A child process that runs, or has run. */
type SpawnedProcess = ChildProcess & { readonly pid: number };

function hasPid(child: ChildProcess): child is SpawnedProcess {
	return child.pid !== undefined;
}

/**
 * Spawns the program with `outputs` as its standard output and error. The path of a program inside an
 * image says nothing about this machine: where it does not exist, a program of that name is taken from
 * the PATH instead (`/usr/local/bin/bash`).
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
		// The first error names the path that the user wrote.
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

function giveBack(fifo: Fifo): void {
	closeSync(fifo.readFd);
	closeSync(fifo.writeFd);
	fifo.release(true);
}
