/**
 * The server's end of the launcher's socket. It also starts a launcher if none runs.
 *
 * A client finds the launcher by the path of its socket only. If no launcher answers, the client starts one and
 * retries. If two launchers are started at the same time, the one that does not get the lock exits, and the retry
 * of its client reaches the other.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import type { Socket } from 'node:net';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, sleep } from '../../../base/clock.ts';

import { JsonLines } from '../../../base/json/json-lines.ts';
import { type RuntimeContainer, RuntimeUnavailable } from '../../contract.ts';
import { readRegularFile } from '../output/regular-file.ts';
import { connectIn } from './folder-socket.ts';
import { SOCKET_NAME } from './launcher-files.ts';
import {
	decodeError,
	EXIT_TAKEN,
	type FromLauncher,
	type Hello,
	type HostSandbox,
	type LauncherCall,
	type LauncherCalls,
	PROTOCOL,
	REMOVE_WITH_CLIENT,
	WITHOUT_SHIM,
} from './protocol.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/** Maximum time that a launcher may take to get ready, to greet a client, and to answer its first calls. */
const LONGEST_SILENCE_MS = 30_000;
/** Maximum time that `killAll` waits for the launcher to exit after it has killed everything. */
const LONGEST_END_MS = 2000;
const RETRY_MS = 20;
const ATTEMPTS = 250;
/** How much of the end of the launcher's log an error message quotes. */
const LOG_TAIL_CHARACTERS = 1000;
const LARGEST_LOG_BYTES = 1 << 20;

/** The launcher's folder, and the callbacks of its client. */
export interface LauncherClientOptions {
	/** An existing folder that only this user can enter. */
	readonly folder: string;
	readonly clock: Clock;
	/** If set, a launcher that this client starts exits when this process does, and removes the folder named here. */
	readonly removeAtEnd?: string;
	/** If true, a launcher that this client starts does not use the shim. */
	readonly withoutShim?: boolean;
	/**
	 * Called with a container that this client created or started, or that has exited: in the order in which it
	 * happened, and before the call that caused it resolves. A repeated call passes the unchanged status again.
	 */
	onStatus(status: RuntimeContainer): void;
	/** Called when the connection is lost, except by `close` and `killAll`. */
	onLost(): void;
}

interface Pending {
	readonly method: keyof LauncherCalls;
	resolve(result: unknown): void;
	reject(error: Error): void;
}

/** The sandboxes and containers of a launcher. */
export interface LauncherContents {
	readonly sandboxes: readonly HostSandbox[];
	readonly containers: readonly RuntimeContainer[];
}

/** A connection to a launcher. */
export class LauncherClient {
	readonly #socket: Socket;
	readonly #options: LauncherClientOptions;
	readonly #pending = new Map<number, Pending>();
	readonly #greeted = Promise.withResolvers<number>();
	readonly #lines = new JsonLines();
	/** Lines of calls that are written at the end of the current task. */
	#unsent = '';
	#next = 1;
	/** True from the launcher's hello until this client closes the connection. */
	#isOpen = false;
	/** The launcher's process, if this client started it. */
	#process: ChildProcess | undefined;

	private constructor(socket: Socket, options: LauncherClientOptions) {
		this.#socket = socket;
		this.#options = options;
		socket.on('data', (chunk: Buffer) => {
			for (const message of this.#parse(chunk)) this.#take(message);
		});
		socket.on('close', () => this.#noteClosed());
	}

	/** Connects to the launcher of the folder; starts one if none runs. Rejects with {@link RuntimeUnavailable}. */
	static async reach(options: LauncherClientOptions): Promise<LauncherClient> {
		let started: ChildProcess | undefined;
		for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
			const client = await LauncherClient.find(options);
			if (client) {
				client.#process = started;
				return client;
			}
			started = await startLauncher(options);
			if (!started) await sleep(options.clock, RETRY_MS);
		}
		throw new RuntimeUnavailable(`the launcher in ${options.folder} does not answer`);
	}

	/**
	 * Connects to the launcher of the folder if one runs; resolves to undefined otherwise. Rejects with
	 * {@link RuntimeUnavailable} if it does not greet (it may be stopped by SIGSTOP), or speaks another protocol.
	 */
	static async find(options: LauncherClientOptions): Promise<LauncherClient | undefined> {
		const socket = await connectIn(options.folder, SOCKET_NAME);
		if (!socket) return undefined;
		const client = new LauncherClient(socket, options);
		const greeted = client.#greeted.promise.catch(() => undefined);
		const protocol = await client.#within(greeted);
		if (protocol === undefined) return undefined;
		if (protocol === PROTOCOL) return client;
		client.close();
		throw new RuntimeUnavailable(
			`the launcher that runs Pods in ${options.folder} belongs to another version of stint (protocol ${protocol}; ` +
				`this version uses protocol ${PROTOCOL}): use that version until its Pods have ended`,
		);
	}

	/** The launcher's sandboxes and containers. Rejects with {@link RuntimeUnavailable}, also if it does not answer. */
	async list(): Promise<LauncherContents> {
		const calls = Promise.all([this.call('listSandboxes'), this.call('listContainers')]);
		const [sandboxes, containers] = await this.#within(calls);
		return { sandboxes, containers };
	}

	/** Settles as `answer` does. Closes the connection and rejects after {@link LONGEST_SILENCE_MS} without answer. */
	async #within<T>(answer: Promise<T>): Promise<T> {
		const { clock, folder } = this.#options;
		const silent = Promise.withResolvers<never>();
		const timer = clock.setTimer(LONGEST_SILENCE_MS, () => {
			silent.reject(new RuntimeUnavailable(`the launcher that runs Pods in ${folder} does not answer`));
			this.close();
		});
		try {
			return await Promise.race([silent.promise, answer]);
		} finally {
			timer.cancel();
		}
	}

	/** Performs a call in the launcher. Rejects with its error, or with {@link RuntimeUnavailable}. */
	call<Method extends keyof LauncherCalls>(
		method: Method,
		...args: Parameters<LauncherCalls[Method]>
	): ReturnType<LauncherCalls[Method]> {
		const id = this.#next++;
		const call: LauncherCall = { id, method, args };
		const answer = new Promise<unknown>((resolve, reject) => {
			if (this.#socket.destroyed) return reject(disconnected());
			this.#pending.set(id, { method, resolve, reject });
			this.#send(`${JSON.stringify(call)}\n`);
		});
		// The launcher answers with what the method returns.
		return answer as ReturnType<LauncherCalls[Method]>;
	}

	/** Sends the line with those of the other calls of this task: each write to the socket costs a system call. */
	#send(line: string): void {
		if (this.#unsent === '') process.nextTick(() => this.#flush());
		this.#unsent += line;
	}

	#flush(): void {
		this.#socket.write(this.#unsent);
		this.#unsent = '';
	}

	/** Closes the connection. The launcher exits if it has no container and no other client. */
	close(): void {
		this.#isOpen = false;
		this.#socket.destroy();
	}

	/**
	 * Has the launcher kill and remove everything. Resolves once it no longer uses its folder, which the caller may
	 * then remove, and has exited if this client started it; after two seconds in any case.
	 */
	async killAll(): Promise<void> {
		await this.call('killAll');
		this.#isOpen = false;
		const child = this.#process;
		const isRunning = child?.exitCode === null && child.signalCode === null;
		child?.ref();
		const ended = isRunning ? once(child, 'exit') : undefined;
		const closed = this.#socket.destroyed ? undefined : once(this.#socket, 'close');
		await Promise.race([Promise.all([ended, closed]), sleep(this.#options.clock, LONGEST_END_MS)]);
		this.close();
	}

	#parse(chunk: Buffer): readonly (Hello | FromLauncher)[] {
		try {
			// Only this user's own launcher can write here; its hello says which protocol it speaks.
			return this.#lines.push(chunk) as readonly (Hello | FromLauncher)[];
		} catch {
			this.#socket.destroy();
			return [];
		}
	}

	#take(message: Hello | FromLauncher): void {
		if ('hello' in message) {
			this.#isOpen = true;
			this.#greeted.resolve(message.hello.protocol);
		} else if ('exited' in message) {
			this.#options.onStatus(message.exited);
		} else {
			const pending = this.#pending.get(message.id);
			this.#pending.delete(message.id);
			if (!pending) return;
			if ('error' in message) pending.reject(decodeError(message.error));
			else this.#resolve(pending, message.result);
		}
	}

	/**
	 * Calls `onStatus` before it resolves the call. The caller's code runs only after all lines of this chunk, which
	 * may include the exit of the container that was just started: `onStatus` would otherwise get them in the wrong
	 * order.
	 */
	#resolve({ method, resolve }: Pending, result: unknown): void {
		const isStatus = method === 'createContainer' || method === 'startContainer';
		// The launcher answers with what the method returns.
		if (isStatus) this.#options.onStatus(result as RuntimeContainer);
		resolve(result);
	}

	#noteClosed(): void {
		this.#greeted.reject(disconnected());
		for (const { reject } of this.#pending.values()) reject(disconnected());
		this.#pending.clear();
		if (this.#isOpen) this.#options.onLost();
		this.#isOpen = false;
	}
}

function disconnected(): RuntimeUnavailable {
	return new RuntimeUnavailable('the connection to the launcher was lost');
}

/**
 * Starts a launcher. Resolves once it accepts calls; to undefined if another launcher holds the folder's lock. Rejects
 * with {@link RuntimeUnavailable}, whose message quotes the end of the launcher's log.
 */
async function startLauncher(options: LauncherClientOptions): Promise<ChildProcess | undefined> {
	const log = openLog(join(options.folder, 'launcher.log'));
	const child = spawnLauncher(options, log.fd);
	const ready = new Promise<'ready'>((resolve) => child.stdout?.once('data', () => resolve('ready')));
	const ended = new Promise<string>((resolve) => {
		child.once('exit', (code, signal) => resolve(code === EXIT_TAKEN ? 'taken' : `exit ${code ?? signal}`));
		child.once('error', (error) => resolve(error.message));
	});
	const late = Promise.withResolvers<string>();
	const timer = options.clock.setTimer(LONGEST_SILENCE_MS, () => late.resolve('it did not become ready'));
	const outcome = await Promise.race([ready, ended, late.promise]);
	timer.cancel();
	child.stdout?.destroy();
	child.unref();
	if (outcome === 'ready') return child;
	if (outcome === 'taken') return undefined;
	child.kill('SIGKILL');
	const said = readRegularFile(log.path).subarray(log.before).toString().trim().slice(-LOG_TAIL_CHARACTERS);
	throw new RuntimeUnavailable(`the launcher could not be started (${outcome}): ${said}`);
}

/** The file for the launcher's own errors, and its size in bytes before this launcher. */
interface LauncherLog {
	readonly path: string;
	readonly fd: number;
	readonly before: number;
}

/** Opens the log. Truncates it when many launchers have made it large. Never follows a symbolic link. */
function openLog(path: string): LauncherLog {
	const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
	const { size } = fstatSync(fd);
	if (size <= LARGEST_LOG_BYTES) return { path, fd, before: size };
	ftruncateSync(fd);
	return { path, fd, before: 0 };
}

function spawnLauncher(
	{ folder, removeAtEnd, withoutShim }: LauncherClientOptions,
	errors: number,
): ChildProcess {
	const main = fileURLToPath(new URL(`./launcher-main${extname(import.meta.url)}`, import.meta.url));
	// Memory stays small, since the cost of fork grows with the memory of the parent. Warnings are off, since Node
	// writes them to standard error directly, not through the ErrorLog: on a full disk that would throw.
	const flags = ['--max-semi-space-size=1', '--optimize-for-size', '--no-warnings'];
	const lifetime = removeAtEnd === undefined ? [] : [REMOVE_WITH_CLIENT, removeAtEnd];
	try {
		const shim = withoutShim ? [WITHOUT_SHIM] : [];
		return spawn(process.execPath, [...flags, main, folder, ...shim, ...lifetime], {
			cwd: folder,
			detached: true,
			stdio: ['ignore', 'pipe', errors],
			env: launcherEnvironment(),
		});
	} finally {
		closeSync(errors);
	}
}

/**
 * The variables that the launcher itself needs. It does not inherit the server's environment, which may hold secrets.
 * A single malloc arena of glibc instead of one per thread saves 6 MB.
 */
function launcherEnvironment(): NodeJS.ProcessEnv {
	const { PATH, HOME, TMPDIR } = process.env;
	const cache = process.env.NODE_COMPILE_CACHE ?? getCompileCacheDir();
	return {
		PATH,
		HOME,
		TMPDIR,
		MALLOC_ARENA_MAX: '1',
		...(cache && { NODE_COMPILE_CACHE: cache }),
	};
}
