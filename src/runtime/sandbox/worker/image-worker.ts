import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
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
/** How much of what the worker writes to its standard error an error message quotes. */
const ERROR_CHARACTERS = 1000;

/** The settings of an {@link ImageWorker}. */
export interface ImageWorkerOptions {
	readonly settings: WorkerSettings;
	readonly clock: Clock;
	/** Program and arguments that run the worker's program, as in a user namespace. */
	readonly prefix: readonly string[];
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
			if (running.isIdle) this.#endLater(running);
		}
	}

	/** Kills the process; calls in progress reject. */
	stop(): void {
		this.#idle?.cancel();
		this.#running?.kill();
	}

	/** Ends the process, which closes the store; resolves when it has ended. No call may be in progress. */
	async close(): Promise<void> {
		this.#idle?.cancel();
		this.#running?.end();
		await this.#running?.whenEnded();
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
	readonly #ended = Promise.withResolvers<void>();
	readonly #child: ChildProcessWithoutNullStreams;
	readonly #pending = new Map<number, Pending>();
	#nextId = 1;
	#errors = '';

	constructor({ settings, prefix }: ImageWorkerOptions) {
		const main = fileURLToPath(new URL(`./image-worker-main${extname(import.meta.url)}`, import.meta.url));
		const [command = process.execPath, ...args] = [
			...prefix,
			...[process.execPath, '--disable-warning=ExperimentalWarning', main],
		];
		this.#child = spawn(command, args, { stdio: 'pipe' });
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
		// A running pull must not keep a command alive that has nothing else to do.
		this.#child.unref();
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

	end(): void {
		this.isAlive = false;
		this.#child.stdin.end();
	}

	/** Resolves when the process has ended; until then, this process does not end either. */
	whenEnded(): Promise<void> {
		this.#child.ref();
		return this.#ended.promise;
	}

	kill(): void {
		this.isAlive = false;
		// The child may be the shim, which waits for the worker: the worker gives up when its standard input ends.
		this.#child.stdin.destroy();
		this.#child.kill('SIGKILL');
	}

	#take(line: FromWorker): void {
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
