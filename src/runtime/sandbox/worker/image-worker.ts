import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt } from '../../../base/attempt.ts';
import type { Clock, Timer } from '../../../base/clock.ts';
import { JsonLines } from '../../../base/json/json-lines.ts';
import type {
	FromWorker,
	PullProgress,
	WorkerCall,
	WorkerCalls,
	WorkerFailure,
	WorkerSettings,
} from './worker-protocol.ts';

/** How long a worker without a call stays, for the next image of the same Job. */
const IDLE_MS = 30_000;
/** How long a worker that shall end may take: longer than the time it gives itself. */
const END_MS = 5000;
/** How much of what the worker writes to its standard error an error message quotes. */
const ERROR_CHARACTERS = 1000;

/** The settings of an {@link ImageWorker}. */
export interface ImageWorkerOptions {
	/** Whether the worker keeps this process alive. Default false. */
	readonly keepsAlive?: boolean;
	readonly settings: WorkerSettings;
	readonly clock: Clock;
	/** Program and arguments that run the worker's program, as in a user namespace. */
	readonly prefix: readonly string[];
	/** Receives errors of the worker that no call rejects with. */
	onError(error: Error): void;
}

/** A call failed in the worker. */
export class WorkerError extends Error {
	override readonly name = 'WorkerError';
	/** What the user can do, if that is known. */
	readonly hint: string | undefined;

	constructor({ message, hint }: WorkerFailure) {
		super(message);
		this.hint = hint;
	}
}

interface Pending {
	resolve(result: unknown): void;
	reject(error: Error): void;
	onProgress?: ((progress: PullProgress) => void) | undefined;
}

/** The server's end of the image worker. Starts the process when there is a call, and ends it when it is idle. */
export class ImageWorker {
	readonly #options: ImageWorkerOptions;
	#running: RunningWorker | undefined;
	#idle: Timer | undefined;

	constructor(options: ImageWorkerOptions) {
		this.#options = options;
	}

	/** Performs a call. Rejects with {@link WorkerError}, also if the process ends meanwhile. */
	async call<Method extends keyof WorkerCalls>(
		method: Method,
		argument: Parameters<WorkerCalls[Method]>[0],
		onProgress?: (progress: PullProgress) => void,
	): Promise<Awaited<ReturnType<WorkerCalls[Method]>>> {
		this.#idle?.cancel();
		const running = this.#running?.isAlive ? this.#running : new RunningWorker(this.#options);
		this.#running = running;
		try {
			return await running.call({ method, argument, onProgress });
		} finally {
			if (running.isIdle && running.isAlive) this.#endLater(running);
		}
	}

	/** Resolves when the process has ended; calls in progress reject. */
	async stop(): Promise<void> {
		this.#idle?.cancel();
		const running = this.#running;
		this.#running = undefined;
		if (!running) return;
		const timer = this.#options.clock.setTimer(END_MS, () => running.kill());
		running.end();
		await running.ended;
		timer.cancel();
	}

	#endLater(running: RunningWorker): void {
		this.#idle?.cancel();
		this.#idle = this.#options.clock.setTimer(IDLE_MS, () => {
			if (running.isIdle) running.end();
		});
	}
}

/** One process. */
class RunningWorker {
	isAlive = true;
	readonly #child: ChildProcessWithoutNullStreams;
	readonly #pending = new Map<number, Pending>();
	readonly #onError: ImageWorkerOptions['onError'];
	readonly #ended = Promise.withResolvers<void>();
	#nextId = 1;
	#errors = '';

	constructor({ settings, prefix, onError, keepsAlive = false }: ImageWorkerOptions) {
		this.#onError = onError;
		const main = fileURLToPath(new URL(`./image-worker-main${extname(import.meta.url)}`, import.meta.url));
		const [command = process.execPath, ...args] = [
			...prefix,
			...[process.execPath, '--disable-warning=ExperimentalWarning', main],
		];
		// In a process group of its own: the prefix has child processes, and a Ctrl-C is for the server.
		this.#child = spawn(command, args, { stdio: 'pipe', detached: true });
		this.#child.stdin.on('error', () => {});
		this.#child.stdin.write(`${JSON.stringify(settings)}\n`);
		const lines = new JsonLines();
		this.#child.stdout.on('data', (chunk: Buffer) => {
			for (const line of lines.push(chunk)) this.#take(line as FromWorker);
		});
		this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
			this.#errors = (this.#errors + text).slice(-ERROR_CHARACTERS);
		});
		this.#child.on('error', (error) => this.#lost(error.message));
		this.#child.on('close', (code, signal) => this.#lost(`it ended with ${signal ?? `exit code ${code}`}`));
		// A pull for a Pod must not keep a server alive that has nothing else to do.
		if (!keepsAlive) this.#refer('unref');
	}

	/** Resolves when the process has ended. */
	get ended(): Promise<void> {
		return this.#ended.promise;
	}

	get isIdle(): boolean {
		return this.#pending.size === 0;
	}

	call(call: {
		readonly method: keyof WorkerCalls;
		readonly argument: unknown;
		readonly onProgress?: ((progress: PullProgress) => void) | undefined;
	}): Promise<never> {
		const { method, argument, onProgress } = call;
		const id = this.#nextId++;
		const { promise, resolve, reject } = Promise.withResolvers<never>();
		this.#pending.set(id, { resolve: (result) => resolve(result as never), reject, onProgress });
		const line: WorkerCall = { id, method, argument };
		this.#child.stdin.write(`${JSON.stringify(line)}\n`);
		return promise;
	}

	/** The worker ends by itself when its input does. */
	end(): void {
		this.isAlive = false;
		this.#refer('ref');
		this.#child.stdin.end();
	}

	kill(): void {
		const { pid } = this.#child;
		if (pid !== undefined) attempt(() => process.kill(-pid, 'SIGKILL'));
	}

	/** Whether the process and the pipes to it keep this process alive. */
	#refer(how: 'ref' | 'unref'): void {
		const { stdin, stdout, stderr } = this.#child;
		this.#child[how]();
		for (const pipe of [stdin, stdout, stderr]) if (pipe instanceof Socket) pipe[how]();
	}

	#take(line: FromWorker): void {
		if ('warning' in line) {
			this.#onError(new Error(line.warning));
			return;
		}
		const pending = this.#pending.get(line.id);
		if (!pending) return;
		if ('progress' in line) {
			pending.onProgress?.(line.progress);
			return;
		}
		this.#pending.delete(line.id);
		if ('failure' in line) pending.reject(new WorkerError(line.failure));
		else pending.resolve(line.result);
	}

	#lost(why: string): void {
		this.isAlive = false;
		const told = this.#errors.trim();
		const message = `the process that pulls images is gone: ${why}${told && `: ${told}`}`;
		for (const { reject } of this.#pending.values()) reject(new WorkerError({ message }));
		this.#pending.clear();
		this.#ended.resolve();
	}
}
