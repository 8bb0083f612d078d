/**
 * The server's end of the launcher's socket, and how a launcher is started where none runs.
 *
 * A launcher is reached by name only: whoever finds none that answers starts one and tries again. Of two
 * launchers that start at once one ends, so that trying again reaches the other.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, sleep } from '../../../base/clock.ts';
import { codeOf } from '../../../base/system-error.ts';
import { JsonLines } from '../../../client/json-lines.ts';
import { type ContainerStatus, RuntimeUnavailable, type Sandbox } from '../runtime.ts';
import {
	type Call,
	decodeError,
	EXIT_TAKEN,
	type FromLauncher,
	type Hello,
	type LauncherCalls,
	PROTOCOL,
	REMOVE_WITH_CLIENT,
	SOCKET_NAME,
} from './protocol.ts';
import { readRegularFile } from './regular-file.ts';

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;

/** The longest path of a socket that every system takes. */
const LONGEST_SOCKET_PATH = 100;
/** Maximum time that a launcher may take to get ready, and to greet a client that connects. */
const LONGEST_SILENCE_MS = 30_000;
/** How long a launcher is waited for that has nothing left to do. */
const LONGEST_END_MS = 2000;
const RETRY_MS = 20;
const ATTEMPTS = 250;
const LOG_TAIL_CHARACTERS = 1000;
const LARGEST_LOG_BYTES = 1 << 20;

/** Where the launcher works, and who is told what. */
export interface LauncherClientOptions {
	/** An existing folder that only this user can enter. */
	readonly folder: string;
	readonly clock: Clock;
	/** If set, a launcher that is started from here ends with this process, and removes the folder that is named. */
	readonly removeAtEnd?: string;
	/**
	 * A container was made or started from here, or has ended: told in the order in which it happened, so
	 * before the call that caused it resolves, and also what was there already when a call was repeated.
	 */
	onStatus(status: ContainerStatus): void;
	/** The connection is gone, and not because it was closed from here. */
	onLost(): void;
}

interface Pending {
	readonly method: keyof LauncherCalls;
	resolve(result: unknown): void;
	reject(error: Error): void;
}

/** What a launcher has. */
export interface LauncherContents {
	readonly sandboxes: readonly Sandbox[];
	readonly containers: readonly ContainerStatus[];
}

/** A connection to a launcher. */
export class LauncherClient {
	readonly #socket: Socket;
	readonly #options: LauncherClientOptions;
	readonly #pending = new Map<number, Pending>();
	readonly #greeted = Promise.withResolvers<number>();
	readonly #lines = new JsonLines();
	#next = 1;
	/** From the hello until it is closed from here. */
	#isOpen = false;
	/** The launcher, if it was started from here. */
	#process: ChildProcess | undefined;

	private constructor(socket: Socket, options: LauncherClientOptions) {
		this.#socket = socket;
		this.#options = options;
		socket.on('data', (chunk: Buffer) => {
			for (const message of this.#parse(chunk)) this.#take(message);
		});
		socket.on('close', () => this.#lose());
	}

	/** Connects to the launcher of the folder, started now if need be. Rejects with {@link RuntimeUnavailable}. */
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
	 * Connects to the launcher of the folder if one runs. Rejects with {@link RuntimeUnavailable} where it says
	 * nothing (it may have been stopped), or is of another version.
	 */
	static async find(options: LauncherClientOptions): Promise<LauncherClient | undefined> {
		const socket = await openSocket(options.folder);
		if (!socket) return undefined;
		const client = new LauncherClient(socket, options);
		const greeted = client.#greeted.promise.catch(() => undefined);
		const protocol = await client.#within(greeted);
		if (protocol === undefined) return undefined;
		if (protocol === PROTOCOL) return client;
		client.close();
		throw new RuntimeUnavailable(
			`the launcher that runs Pods in ${options.folder} is of another version of stint (protocol ${protocol}, ` +
				`this one speaks ${PROTOCOL}): use that version until its Pods have ended`,
		);
	}

	/** All that the launcher has. Rejects with {@link RuntimeUnavailable}, also where it does not answer. */
	async list(): Promise<LauncherContents> {
		const calls = Promise.all([this.call('listSandboxes'), this.call('listContainers')]);
		const [sandboxes, containers] = await this.#within(calls);
		return { sandboxes, containers };
	}

	/** What the launcher answers at once; one that does not (it may have been stopped) is let go. */
	async #within<T>(answer: Promise<T>): Promise<T> {
		const { clock, folder } = this.#options;
		const silent = Promise.withResolvers<never>();
		const patience = clock.setTimer(LONGEST_SILENCE_MS, () => {
			silent.reject(new RuntimeUnavailable(`the launcher that runs Pods in ${folder} does not answer`));
			this.close();
		});
		try {
			return await Promise.race([silent.promise, answer]);
		} finally {
			patience.cancel();
		}
	}

	/** Performs a call in the launcher. Rejects with its error, or with {@link RuntimeUnavailable}. */
	call<Method extends keyof LauncherCalls>(
		method: Method,
		...args: Parameters<LauncherCalls[Method]>
	): ReturnType<LauncherCalls[Method]> {
		const id = this.#next++;
		const call: Call = { id, method, args };
		const answer = new Promise<unknown>((resolve, reject) => {
			if (this.#socket.destroyed) return reject(gone());
			this.#pending.set(id, { method, resolve, reject });
			this.#socket.write(`${JSON.stringify(call)}\n`);
		});
		// The launcher answers with what the method returns.
		return answer as ReturnType<LauncherCalls[Method]>;
	}

	/** Lets go of the launcher, which ends if it has nothing to do. */
	close(): void {
		this.#isOpen = false;
		this.#socket.destroy();
	}

	/** Has everything killed; resolves when the launcher has left its folder, and has ended if it is ours. */
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
	 * Whoever waits for the answer learns of it after the lines that came with it have been read, the exit
	 * of what was just started among them. What the answer changes is therefore told here.
	 */
	#resolve({ method, resolve }: Pending, result: unknown): void {
		const isStatus = method === 'createContainer' || method === 'startContainer';
		// The launcher answers with what the method returns.
		if (isStatus) this.#options.onStatus(result as ContainerStatus);
		resolve(result);
	}

	#lose(): void {
		this.#greeted.reject(gone());
		for (const { reject } of this.#pending.values()) reject(gone());
		this.#pending.clear();
		if (this.#isOpen) this.#options.onLost();
		this.#isOpen = false;
	}
}

function gone(): RuntimeUnavailable {
	return new RuntimeUnavailable('the launcher has gone');
}

/** A connected socket, or undefined if no launcher listens. Rejects with any other error of the system. */
async function openSocket(folder: string): Promise<Socket | undefined> {
	const path = join(folder, SOCKET_NAME);
	if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return await connectTo(path);
	const shortcut = await mkdtemp(join(tmpdir(), 'stint-'));
	try {
		await symlink(folder, join(shortcut, 'f'));
		return await connectTo(join(shortcut, 'f', SOCKET_NAME));
	} finally {
		await rm(shortcut, { recursive: true, force: true });
	}
}

function connectTo(path: string): Promise<Socket | undefined> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once('connect', () => resolve(socket));
		// After the connection is made an error closes it, which is noticed by that.
		socket.on('error', (error) => {
			if (['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(codeOf(error))) resolve(undefined);
			else reject(error);
		});
	});
}

/** Starts a launcher; resolves once it can be called, to undefined when another is at work in the folder. */
async function startLauncher(options: LauncherClientOptions): Promise<ChildProcess | undefined> {
	const log = openLog(join(options.folder, 'launcher.log'));
	const child = spawnLauncher(options, log.fd);
	const ready = new Promise<'ready'>((resolve) => child.stdout?.once('data', () => resolve('ready')));
	const ended = new Promise<string>((resolve) => {
		child.once('exit', (code, signal) => resolve(code === EXIT_TAKEN ? 'taken' : `exit ${code ?? signal}`));
		child.once('error', (error) => resolve(error.message));
	});
	const patience = Promise.withResolvers<string>();
	const timer = options.clock.setTimer(LONGEST_SILENCE_MS, () => patience.resolve('it did not get ready'));
	const outcome = await Promise.race([ready, ended, patience.promise]);
	timer.cancel();
	child.stdout?.destroy();
	child.unref();
	if (outcome === 'ready') return child;
	if (outcome === 'taken') return undefined;
	child.kill('SIGKILL');
	const said = readRegularFile(log.path).subarray(log.before).toString().trim().slice(-LOG_TAIL_CHARACTERS);
	throw new RuntimeUnavailable(`the launcher could not be started (${outcome}): ${said}`);
}

/** A file for the launcher's own errors, and how much was in it before. */
interface LauncherLog {
	readonly path: string;
	readonly fd: number;
	readonly before: number;
}

/** Opens the log, which is emptied when it has grown large over many launchers. Never follows a link. */
function openLog(path: string): LauncherLog {
	const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
	const { size } = fstatSync(fd);
	if (size <= LARGEST_LOG_BYTES) return { path, fd, before: size };
	ftruncateSync(fd);
	return { path, fd, before: 0 };
}

function spawnLauncher({ folder, removeAtEnd }: LauncherClientOptions, errors: number): ChildProcess {
	const main = fileURLToPath(new URL(`./launcher-main${extname(import.meta.url)}`, import.meta.url));
	// It must stay small, since starting a process costs with the memory of the one that starts it. Warnings
	// would go to its standard error past the ErrorLog, and fail it on a full disk.
	const flags = ['--max-semi-space-size=1', '--optimize-for-size', '--no-warnings'];
	const lifetime = removeAtEnd === undefined ? [] : [REMOVE_WITH_CLIENT, removeAtEnd];
	try {
		return spawn(process.execPath, [...flags, main, folder, ...lifetime], {
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
 * What the launcher itself needs, and no more: the server's environment may hold secrets. One arena of
 * glibc's malloc instead of one per thread saves it 6 MB.
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
