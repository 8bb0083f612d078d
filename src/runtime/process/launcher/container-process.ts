/**
 * The processes of one container: the main process, its descendants, and the pipes from their output to the log.
 *
 * 1. `ended` resolves once the main process has exited, all others are gone, and the log is complete.
 * 2. Where the shim runs (see shim.ts), it ends the other processes. Elsewhere the launcher kills the process group. A
 *    process that left the group and keeps a pipe open then delays `ended` for a bounded time: after 100 ms, the sweeper
 *    finds it by its mark and kills it; if the pipe is still open 100 ms later, the launcher closes its end.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { attempt } from '../../../base/attempt.ts';
import type { Clock, Timer } from '../../../base/clock.ts';
import type { LogTime } from '../../log-time.ts';
import type { ContainerCgroups } from '../cgroups/cgroups.ts';
import type { Sweeper } from '../folders/sweeper.ts';
import type { DescriptorPool } from '../output/descriptor-pool.ts';
import type { Fifo, FifoPool } from '../output/fifo-pool.ts';
import { LogFile } from '../output/log-file.ts';
import { OutputPump } from '../output/output-pump.ts';
import type { Shim } from '../shim/shim.ts';
import type { ContainerBox, ShimRequest } from '../shim/shim-request.ts';
import type { RunRecord } from './journal-entry.ts';
import type { MainProcess, ProcessEnd } from './main-process.ts';
import type { ProcessIdentity } from './process-table.ts';
import type { HostProgram } from './protocol.ts';
import { SpawnedProcess } from './spawned-process.ts';

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
	readonly pipes: Pick<FifoPool, 'take' | 'reopen'>;
	/** Undefined where it cannot run: then containers are children of the launcher. */
	readonly shim: Pick<Shim, 'start' | 'newId'> | undefined;
	readonly sweeper: Sweeper;
	onError(error: unknown): void;
}

/** The program to start, and the log of its output. */
export interface ProcessOptions {
	/** The value of STINT_CONTAINER_ID in the program's environment: see markOf. */
	readonly mark: string;
	readonly program: HostProgram;
	/** What the shim isolates; only used where it runs. */
	readonly box: ContainerBox | undefined;
	/** The control groups that the shim puts it in. */
	readonly cgroups?: ContainerCgroups | undefined;
	/** The signal that asks it to stop. */
	readonly stopSignal: NodeJS.Signals | number;
	readonly log: { readonly path: string; readonly maxBytes: number; readonly maxFiles: number };
	/** Called before the shim is asked to start it: another launcher needs this to continue with it. */
	onRun(run: Omit<RunRecord, 'config'>): void;
}

/** See the header of this file. */
export class ContainerProcess {
	/** Resolves when all processes have ended and the log is complete; never rejects. */
	readonly ended: Promise<ProcessEnd>;
	readonly #host: ProcessHost;
	readonly #main: MainProcess;
	readonly #options: Pick<ProcessOptions, 'mark' | 'stopSignal'>;
	readonly #log: LogFile;
	readonly #pumps: readonly OutputPump[];
	/** True once the stop signal was sent. */
	#hasTerm = false;
	#hasExited = false;
	#kill: { readonly due: number; readonly timer: Timer } | undefined;

	private constructor(parts: {
		main: MainProcess;
		options: Pick<ProcessOptions, 'mark' | 'stopSignal'>;
		host: ProcessHost;
		log: LogFile;
		pumps: readonly OutputPump[];
	}) {
		this.#main = parts.main;
		this.#host = parts.host;
		this.#options = parts.options;
		this.#log = parts.log;
		this.#pumps = parts.pumps;
		this.#log.onDrain(() => {
			for (const pump of this.#pumps) pump.resume();
		});
		this.ended = this.#whenEnded();
	}

	/** Starts the program. Rejects with the system error if that fails, or with a StartFailure. */
	static async start(options: ProcessOptions, host: ProcessHost): Promise<ContainerProcess> {
		const outputs: (Fifo | undefined)[] = [];
		let main: MainProcess;
		try {
			while (outputs.length < STREAMS.length) outputs.push(await host.pipes.take());
			main = await startMain(options, outputs, host);
		} catch (error) {
			for (const output of outputs) if (output) closeBoth(output);
			throw error;
		}
		for (const output of outputs) if (output) closeSync(output.writeFd);
		try {
			const sources = STREAMS.map((stream, index) => outputs[index] ?? socketOf(main, stream));
			return ContainerProcess.#attach(main, sources, { options, host, log: newLog(options, host) });
		} catch (error) {
			// The process runs, but its output cannot be logged: kill it, since the start is reported as failed.
			main.kill();
			throw error;
		}
	}

	/**
	 * Continues with the process `main` that an earlier launcher started, and whose output it read from the pipes `paths`.
	 * A line that it had read in part is lost.
	 */
	static adopt(
		main: MainProcess,
		paths: readonly string[],
		how: { readonly options: Omit<ProcessOptions, 'onRun'>; readonly host: ProcessHost },
	): ContainerProcess {
		// A pipe may be gone: then its output was read to its end.
		const sources = paths.flatMap((path) => attempt(() => how.host.pipes.reopen(path)) ?? []);
		const log = newLog(how.options, how.host);
		log.continue();
		return ContainerProcess.#attach(main, sources, { ...how, log });
	}

	/** Connects the pipes of the process to its log. */
	static #attach(
		main: MainProcess,
		sources: readonly (Pick<Fifo, 'readFd' | 'release'> | Socket)[],
		how: {
			readonly options: Pick<ProcessOptions, 'mark' | 'stopSignal'>;
			readonly host: ProcessHost;
			readonly log: LogFile;
		},
	): ContainerProcess {
		const { options, host, log } = how;
		const stamp = (): string => host.logTime.stamp();
		const pumps = sources.map((source, index) => {
			const stream = STREAMS[index] ?? 'stdout';
			const isSocket = source instanceof Socket;
			const pump = new OutputPump(isSocket ? source : source.readFd, { stream, log, stamp });
			if (!isSocket) void pump.ended.then(source.release);
			return pump;
		});
		return new ContainerProcess({ main, options, host, log, pumps });
	}

	/** The process to look for after a restart of the launcher. */
	get identity(): ProcessIdentity {
		return this.#main.identity;
	}

	/** True if no process of the container is left once it has ended, so that none need be searched for. */
	get endsOthers(): boolean {
		return this.#main.endsOthers;
	}

	/**
	 * Sends the stop signal to the main process, once, and kills the container `graceMs` from now, unless an earlier call
	 * set an earlier time. The main process is responsible for its children, as in any container runtime.
	 */
	stop(graceMs: number): void {
		if (this.#hasExited) return;
		if (!this.#hasTerm && graceMs > 0) this.#main.signal(this.#options.stopSignal);
		this.#hasTerm = true;
		const { clock } = this.#host;
		const due = clock.monotonic() + Math.max(graceMs, 0);
		if (this.#kill && this.#kill.due <= due) return;
		this.#kill?.timer.cancel();
		const kill = (): void => this.#main.kill();
		if (graceMs <= 0) kill();
		this.#kill = { due, timer: clock.setTimer(graceMs, kill) };
	}

	async #whenEnded(): Promise<ProcessEnd> {
		const end = await this.#main.exit;
		this.#hasExited = true;
		this.#kill?.timer.cancel();
		// An error of the log must neither prevent the report of the exit nor end the launcher.
		await this.#completeLog().catch(this.#host.onError);
		return end;
	}

	async #completeLog(): Promise<void> {
		if (!(await this.#readWithin(1))) {
			if (!this.#main.endsOthers) await this.#host.sweeper.sweepNow(this.#options.mark);
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

/** Starts the program by the shim where it runs, and otherwise as a child. */
async function startMain(
	options: ProcessOptions,
	outputs: readonly (Fifo | undefined)[],
	host: ProcessHost,
): Promise<MainProcess> {
	const [stdout, stderr] = outputs;
	if (!host.shim || !stdout || !stderr)
		return await SpawnedProcess.start(options.program, outputs, host.clock);
	const request = host.shim.newId();
	const { cgroups } = options;
	options.onRun({ request, pipes: [stdout.path, stderr.path], ...(cgroups && { cgroups }) });
	return await host.shim.start({
		...requestOf(options),
		id: request,
		stdout: stdout.path,
		stderr: stderr.path,
	});
}

function requestOf({ program, box, cgroups }: ProcessOptions): Omit<ShimRequest, 'id'> {
	const { argv, env, workingDir: cwd } = program;
	const oomFile = cgroups?.oomFile;
	const groups = cgroups && { cgroups: cgroups.folders, ...(oomFile !== undefined && { oomFile }) };
	return { argv, env, cwd, ...groups, ...(box && { box }) };
}

function newLog({ log }: Pick<ProcessOptions, 'log'>, host: ProcessHost): LogFile {
	const { clock, logDescriptors: descriptors, onError, logTime } = host;
	return new LogFile({ ...log, clock, descriptors, stamp: () => logTime.stamp(), onError });
}

function socketOf(main: MainProcess, stream: 'stdout' | 'stderr'): Socket {
	const socket = main instanceof SpawnedProcess ? main.child[stream] : undefined;
	if (!(socket instanceof Socket)) throw new Error(`the process has no ${stream}`);
	return socket;
}

/** Closes both ends of a pipe that no process has used, and returns it to the pool. */
function closeBoth(fifo: Fifo): void {
	closeSync(fifo.readFd);
	closeSync(fifo.writeFd);
	fifo.release(true);
}
