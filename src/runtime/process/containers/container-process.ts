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
import type { RunPipes } from '../launcher/journal-entry.ts';
import type { ProcessIdentity } from '../launcher/process-table.ts';
import type { HostProgram } from '../launcher/protocol.ts';
import type { NetworkPaths } from '../network/pod-networks.ts';
import type { DescriptorPool } from '../output/descriptor-pool.ts';
import type { Fifo, FifoPool } from '../output/fifo-pool.ts';
import { LogFile } from '../output/log-file.ts';
import { OutputPump } from '../output/output-pump.ts';
import { OutputTaps } from '../output/output-taps.ts';
import type { Shim } from '../shim/shim.ts';
import type { ContainerBox, ShimRequest } from '../shim/shim-request.ts';
import type { MainProcess, ProcessEnd } from './main-process.ts';
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
	readonly pipes: Pick<FifoPool, 'take' | 'reopen' | 'remove'>;
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
	/** The process whose namespaces it joins; only by the shim. */
	readonly join?: ProcessIdentity;
	/** The network of its Pod; absent: that of the launcher. Only by the shim. */
	readonly network?: NetworkPaths | undefined;
	/** Whether it has a terminal, and a standard input that stays open; only by the shim. */
	readonly tty: boolean;
	readonly stdin: boolean;
	/** If true, its standard input ends with the first session that was attached to it. */
	readonly stdinOnce: boolean;
	/** The signal that asks it to stop. */
	readonly stopSignal: NodeJS.Signals | number;
	readonly log: { readonly path: string; readonly maxBytes: number; readonly maxFiles: number };
	/** The control groups that the shim puts it in. */
	readonly cgroups?: ContainerCgroups | undefined;
	/** Called before the shim is asked to start it: another launcher needs this to continue with it. */
	onRun(run: RunPipes): void;
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
	/** The sessions that are attached. */
	readonly taps: OutputTaps;
	/** The pipes of its standard input and control, which are removed at its end. */
	readonly input: RunPipes['input'];
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
		taps: OutputTaps;
		input: RunPipes['input'];
	}) {
		this.taps = parts.taps;
		this.input = parts.input;
		this.#main = parts.main;
		this.#host = parts.host;
		this.#options = parts.options;
		this.#log = parts.log;
		this.#pumps = parts.pumps;
		const resume = (): void => {
			// Either may have room while the other has none: its memory would grow without a bound.
			if (this.#log.isFull || this.taps.isFull) return;
			for (const pump of this.#pumps) pump.resume();
		};
		this.#log.onDrain(resume);
		this.taps.onDrain(resume);
		this.ended = this.#whenEnded();
	}

	/** Starts the program. Rejects with the system error if that fails, or with a StartFailure. */
	static async start(options: ProcessOptions, host: ProcessHost): Promise<ContainerProcess> {
		const pipes = await takePipes(options, host);
		let main: MainProcess;
		try {
			main = await startMain(options, pipes, host);
		} catch (error) {
			for (const pipe of [...pipes.outputs, ...pipes.inputs]) {
				if (!pipe) continue;
				closeEnds(pipe);
				// Not to be used again: a waiter that reported too late may have it open.
				pipe.release(false);
			}
			throw error;
		}
		// The waiter has the pipes open: the launcher keeps only the ends from which it reads.
		for (const output of pipes.outputs) if (output) closeSync(output.writeFd);
		for (const input of pipes.inputs) closeEnds(input);
		try {
			const sources = pipes.streams.map((stream, index) => ({
				stream,
				from: pipes.outputs[index] ?? socketOf(main, stream),
			}));
			return ContainerProcess.#attach(main, sources, { options, host, log: newLog(options, host), ...pipes });
		} catch (error) {
			// The process runs, but its output cannot be logged: kill it, since the start is reported as failed.
			main.kill();
			void main.exit.then(() => main.forget());
			host.pipes.remove(Object.values(pipes.input ?? {}));
			throw error;
		}
	}

	/**
	 * Continues with the process `main` that an earlier launcher started, and whose output it read from pipes. A line that
	 * it had read in part is lost.
	 */
	static adopt(
		main: MainProcess,
		run: RunPipes,
		how: { readonly options: Omit<ProcessOptions, 'onRun'>; readonly host: ProcessHost },
	): ContainerProcess {
		const sources = run.pipes.flatMap((path, index) => {
			// A pipe may be gone: then its output was read to its end.
			const from = attempt(() => how.host.pipes.reopen(path));
			return from ? [{ stream: STREAMS[index] ?? 'stdout', from }] : [];
		});
		const log = newLog(how.options, how.host);
		log.continue();
		return ContainerProcess.#attach(main, sources, { ...how, log, input: run.input });
	}

	/** Connects the pipes of the process to its log. */
	static #attach(
		main: MainProcess,
		sources: readonly {
			readonly stream: 'stdout' | 'stderr';
			readonly from: Pick<Fifo, 'readFd' | 'release'> | Socket;
		}[],
		how: {
			readonly options: Pick<ProcessOptions, 'mark' | 'stopSignal'>;
			readonly host: ProcessHost;
			readonly log: LogFile;
			readonly input: RunPipes['input'];
		},
	): ContainerProcess {
		const { options, host, log, input } = how;
		const stamp = (): string => host.logTime.stamp();
		const taps = new OutputTaps();
		const pumps = sources.map(({ stream, from }) => {
			const isSocket = from instanceof Socket;
			const pump = new OutputPump(isSocket ? from : from.readFd, { stream, log, taps, stamp });
			if (!isSocket) void pump.ended.then(from.release);
			return pump;
		});
		return new ContainerProcess({ main, options, host, log, pumps, taps, input });
	}

	/** The process to look for after a restart of the launcher. */
	get identity(): ProcessIdentity {
		return this.#main.identity;
	}

	/** True once the main process has exited, also if its log is not complete yet. */
	get hasExited(): boolean {
		return this.#hasExited;
	}

	/** See {@link MainProcess.forget}. */
	forget(): void {
		this.#main.forget();
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
		if (this.input) this.#host.pipes.remove(Object.values(this.input));
		// An error of the log must neither prevent the report of the exit nor end the launcher.
		await this.#completeLog().catch(this.#host.onError);
		return end;
	}

	async #completeLog(): Promise<void> {
		if (!(await this.#readWithin(1))) {
			// Without the sweep the pipes stay open, and are cut below.
			if (!this.#main.endsOthers)
				await this.#host.sweeper.sweepNow(this.#options.mark).catch(this.#host.onError);
			if (!(await this.#readWithin(SLOW_DISK_WAITS))) for (const pump of this.#pumps) pump.cut();
			await Promise.all(this.#pumps.map((pump) => pump.ended));
		}
		this.taps.close();
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
		for (
			let wait = 0;
			wait === 0 || (wait < waits && (this.#log.isFull || this.taps.isFull) && !isRead());
			wait++
		) {
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

/** The pipes that a container is started with. */
interface StartPipes {
	/** The streams of its output: with a terminal, only one. */
	readonly streams: readonly ('stdout' | 'stderr')[];
	/** Their pipes; undefined where there are none. */
	readonly outputs: readonly (Fifo | undefined)[];
	readonly inputs: readonly Fifo[];
	readonly input: RunPipes['input'];
}

async function takePipes({ tty, stdin }: ProcessOptions, { pipes, shim }: ProcessHost): Promise<StartPipes> {
	const taken: (Fifo | undefined)[] = [];
	const streams = shim && tty ? STREAMS.slice(0, 1) : STREAMS;
	const wanted = streams.length + (shim && (tty || stdin) ? 1 + Number(stdin) : 0);
	try {
		while (taken.length < wanted) taken.push(await pipes.take());
	} catch (error) {
		for (const fifo of taken) if (fifo) closeBoth(fifo);
		throw error;
	}
	const outputs = taken.slice(0, streams.length);
	const inputs = taken.slice(streams.length).filter((fifo) => fifo !== undefined);
	const [control, standard] = inputs;
	const input = control && { control: control.path, ...(standard && { stdin: standard.path }) };
	return { streams, outputs, inputs, input };
}

/** Starts the program by the shim where it runs, and otherwise as a child. */
async function startMain(
	options: ProcessOptions,
	start: StartPipes,
	host: ProcessHost,
): Promise<MainProcess> {
	const { outputs, input } = start;
	const [stdout, stderr] = outputs;
	if (host.shim && outputs.includes(undefined) && options.box)
		throw Object.assign(new Error('no named pipes can be made'), { code: 'EAGAIN' });
	if (!host.shim || outputs.includes(undefined))
		return await SpawnedProcess.start(options.program, outputs, host.clock);
	const request = host.shim.newId();
	const pipes = outputs.flatMap((fifo) => (fifo ? [fifo.path] : []));
	const { cgroups } = options;
	options.onRun({ request, pipes, ...(input && { input }), ...(cgroups && { cgroups }) });
	return await host.shim.start({
		...requestOf(options),
		id: request,
		tty: options.tty,
		...input,
		...(stdout && { stdout: stdout.path }),
		...(stderr && { stderr: stderr.path }),
	});
}

function requestOf({ program, box, join, network, tty, cgroups }: ProcessOptions): Omit<ShimRequest, 'id'> {
	const { argv, env, workingDir: cwd } = program;
	const oomFile = cgroups?.oomFile;
	const groups = cgroups && { cgroups: cgroups.folders, ...(oomFile !== undefined && { oomFile }) };
	return {
		argv,
		env,
		cwd,
		tty,
		...groups,
		...(box && { box }),
		...(join && { join }),
		...network,
	};
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
	closeEnds(fifo);
	fifo.release(true);
}

function closeEnds({ readFd, writeFd }: Fifo): void {
	closeSync(readFd);
	closeSync(writeFd);
}
