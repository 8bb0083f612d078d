/**
 * The launcher's end of the shim (native/shim/shim.h): it sends requests to the server of the shim, and reads the files
 * of events in which the waiters report.
 *
 * 1. Files are the only source of what happened: a launcher that starts reads those of its predecessors, and continues
 *    with the containers that still run. The named pipe `poke` only says that there is something to read.
 * 2. Each server of the shim has a file of its own. When a file has grown to half of what the shim has reserved on the
 *    disk for it, another server is started. A file is removed once all its containers have ended and are reported.
 * 3. A waiter that was killed reports nothing. All waiters are looked at every few seconds, so that its container is not
 *    waited for for ever. Its program is killed then: the kernel does not do that if the program has changed its user.
 * 4. What a waiter reports that no call waits for (a start that was given up) is killed.
 */
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Clock, Timer } from '../../../base/clock.ts';
import { endOf, type MainProcess, type ProcessEnd } from '../containers/main-process.ts';
import { POKE_NAME } from '../launcher/launcher-files.ts';
import {
	isRunning,
	killTree,
	newKey,
	type ProcessIdentity,
	signalProcess,
} from '../launcher/process-table.ts';
import { EventFile, eventFilesIn } from './event-file.ts';
import { NetworkRequests } from './network-requests.ts';
import type { ShimEvent } from './shim-event.ts';
import { StartFailure } from './shim-failure.ts';
import { encodeRequest, type NetworkRequest, type ShimRequest } from './shim-request.ts';
import { type ShimServer, startShimServer } from './shim-server.ts';

/** The signal on which a waiter kills its container: KILL_SIGNAL of the shim, which no program can use. */
const KILL_SIGNAL = 33;
/** Half of what the shim reserves. */
const FULL_FILE_BYTES = 512 << 10;
/** How long a report may be late. */
const LATE_MS = 10_000;
/** How long the report of a failed start is kept at least. */
const FORGET_MS = 1000;
/** How often waiters are looked at. */
const LOOK_MS = 5000;
const LOOK_SOON_MS = 50;

/** The settings and callbacks of a {@link Shim}. */
export interface ShimOptions {
	/** The shim's executable file. */
	readonly file: string;
	/** The launcher's folder, which is its working directory too. */
	readonly folder: string;
	readonly clock: Clock;
	onError(error: unknown): void;
}

/** What the files of events of earlier launchers say about one request. */
export interface ShimRecord {
	readonly number: number;
	/** The last event. */
	readonly last: ShimEvent;
	/** The process of its waiter; undefined if it never started. */
	readonly identity: ProcessIdentity | undefined;
	/** The process of its program, where it can outlive its waiter. */
	readonly program?: ProcessIdentity;
}

interface Running {
	readonly identity: ProcessIdentity;
	/** See {@link ShimRecord.program}. */
	readonly program: ProcessIdentity | undefined;
	readonly number: number;
	readonly exit: PromiseWithResolvers<ProcessEnd>;
}

interface Starting {
	readonly number: number;
	readonly started: PromiseWithResolvers<Running>;
}

/** See the header of this file. */
export class Shim {
	readonly #options: ShimOptions;
	readonly #files = new Map<number, EventFile>();
	/** By number of the file, how many containers are starting or running whose events it gets. */
	readonly #users = new Map<number, number>();
	/** By the id of the request. */
	readonly #starting = new Map<string, Starting>();
	readonly #running = new Map<string, Running>();
	readonly #networks = new NetworkRequests();
	#server: Promise<ShimServer> | undefined;
	#poke: Socket | undefined;
	#look: Timer | undefined;
	#lastNumber: number;
	#starts = 0;
	readonly #key = newKey();
	#isClosed = false;

	/** Finds the files of earlier launchers. The caller takes their records by {@link records} before the first start. */
	constructor(options: ShimOptions) {
		this.#options = options;
		const numbers = eventFilesIn(options.folder);
		for (const number of numbers) this.#files.set(number, new EventFile(options.folder, number));
		this.#lastNumber = numbers.at(-1) ?? 0;
	}

	/** Starts the server, so that the first container need not wait for it. */
	prepare(): void {
		this.#serving().catch(this.#options.onError);
	}

	/** Reads what earlier launchers left, by the id of the request. Called again, it adds what was appended meanwhile. */
	records(known: Map<string, ShimRecord>): void {
		for (const [number, file] of this.#files)
			for (const last of file.read()) {
				const before = known.get(last.id);
				const identity = last.kind === 'started' ? identityOf(last) : before?.identity;
				const program = last.kind === 'started' ? programOf(last) : before?.program;
				known.set(last.id, { number, last, identity, ...(program && { program }) });
			}
	}

	/** Continues with a container that an earlier launcher started, and that may have ended since. */
	adopt({ last, number, identity, program }: ShimRecord): MainProcess | undefined {
		if (!identity) return undefined;
		const running = { identity, program, number, exit: Promise.withResolvers<ProcessEnd>() };
		this.#use(number, 1);
		if (last.kind === 'ended') running.exit.resolve(shimEndOf(last));
		else this.#running.set(last.id, running);
		return this.#processOf(running);
	}

	/**
	 * Called once all containers of earlier launchers are adopted, and not before: an event that is read for a container that
	 * is not adopted yet would be lost. Reads on from here, and removes the files in which no container is left: after a
	 * time, in which a start that was given up may still be reported, and is killed.
	 */
	continueRecords(): void {
		if (this.#running.size > 0) this.#listen();
		const earlier = [...this.#files.keys()];
		this.#options.clock.setTimer(LATE_MS, () => {
			for (const number of earlier) if (!this.#isClosed) this.#use(number, 0);
		});
	}

	/** A new id for a request. No launcher of this folder uses it again. */
	newId(): string {
		this.#starts += 1;
		return `${this.#key}-${this.#starts}`;
	}

	/**
	 * Starts a program; resolves once it runs. Rejects with {@link StartFailure} if it cannot be started, and with a
	 * system error if the shim itself cannot.
	 */
	async start(request: ShimRequest): Promise<MainProcess> {
		const { id } = request;
		const bytes = encodeRequest(request);
		const { number, child } = await this.#serving();
		const started = Promise.withResolvers<Running>();
		this.#starting.set(id, { number, started });
		this.#use(number, 1);
		child.stdin?.write(bytes);
		return this.#processOf(await started.promise);
	}

	/** Waiters have been killed, or are about to be: looks for them before the next look is due. */
	lookSoon(): void {
		this.#options.clock.setTimer(LOOK_SOON_MS, () => {
			if (!this.#isClosed) this.#lookForLost();
		});
	}

	/**
	 * Changes networks; resolves to a descriptor of the namespace that was made, which the caller closes, or undefined for
	 * other changes. Rejects as {@link start} does.
	 */
	async changeNetwork(request: NetworkRequest): Promise<number | undefined> {
		return await this.#networks.send(request, { id: this.newId(), ...(await this.#serving()) });
	}

	/** Stops reading, and ends the server; with `removes`, removes the files. No container may be running. */
	close(removes: boolean): void {
		this.#isClosed = true;
		this.#look?.cancel();
		this.#poke?.destroy();
		void this.#server?.then(({ child }) => child.stdin?.end()).catch(() => {});
		for (const file of this.#files.values()) file.close(removes);
		if (removes) rmSync(join(this.#options.folder, POKE_NAME), { force: true });
	}

	/** The server for the next request. */
	async #serving(): Promise<ShimServer> {
		if (this.#server && this.#isServerFull) this.#retire(this.#server);
		if (!this.#server) {
			const starting = this.#startServer();
			this.#server = starting;
			// Another attempt is made for the next request.
			starting.catch(() => {
				if (this.#server === starting) this.#server = undefined;
			});
		}
		return await this.#server;
	}

	get #isServerFull(): boolean {
		return (this.#files.get(this.#lastNumber)?.size ?? 0) >= FULL_FILE_BYTES;
	}

	/** Lets the server exit when it has handled all requests, and its file be removed when its containers have ended. */
	#retire(server: Promise<ShimServer>): void {
		this.#server = undefined;
		const end = ({ child, number }: ShimServer): void => {
			child.stdin?.end();
			this.#use(number, 0);
		};
		server.then(end, () => {});
	}

	async #startServer(): Promise<ShimServer> {
		const { file, folder } = this.#options;
		this.#lastNumber += 1;
		const number = this.#lastNumber;
		const server = await startShimServer(number, {
			file,
			folder,
			onEvent: (event) => this.#take(event, number),
			onExit: () => this.#noteServerEnd(number),
		});
		this.#files.set(number, new EventFile(folder, number));
		this.#listen();
		return server;
	}

	/**
	 * A start that the server has not handled will not happen; the caller may retry it. One that it has handled just before
	 * it ended is reported soon.
	 */
	#noteServerEnd(number: number): void {
		const current = this.#server;
		const forget = (server: ShimServer): void => {
			if (server.number === number && this.#server === current) this.#server = undefined;
		};
		current?.then(forget, () => {});
		const isWaiting = Array.from(this.#starting.values()).some((starting) => starting.number === number);
		if (isWaiting || this.#networks.waitsFor(number))
			this.#options.clock.setTimer(FORGET_MS, () => this.#giveUpStarts(number));
	}

	#giveUpStarts(number: number): void {
		this.#readEvents();
		this.#networks.giveUp(number);
		for (const [id, starting] of this.#starting) {
			if (starting.number !== number) continue;
			this.#starting.delete(id);
			this.#use(number, -1);
			starting.started.reject(Object.assign(new Error('the shim ended'), { code: 'EAGAIN' }));
		}
	}

	#listen(): void {
		if (this.#poke || this.#isClosed) return;
		const { folder, clock, onError } = this.#options;
		// Opened for writing too: otherwise the pipe ends whenever no waiter has it open.
		const fd = openSync(
			join(folder, POKE_NAME),
			constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW,
		);
		try {
			this.#poke = new Socket({ fd, readable: true, writable: false });
		} catch (error) {
			closeSync(fd);
			throw error;
		}
		this.#poke.on('data', () => this.#readEvents());
		this.#poke.on('error', onError);
		this.#poke.unref();
		const look = (): void => {
			this.#look = clock.setTimer(LOOK_MS, () => {
				this.#lookForLost();
				look();
			});
		};
		look();
		this.#readEvents();
	}

	#readEvents(): void {
		if (this.#isClosed) return;
		for (const [number, file] of this.#files) {
			try {
				for (const event of file.read()) this.#take(event, number);
			} catch (error) {
				this.#options.onError(error);
			}
		}
	}

	#take(event: ShimEvent, number: number): void {
		if (this.#networks.take(event) || event.kind === 'answered') return;
		const starting = this.#starting.get(event.id);
		this.#starting.delete(event.id);
		if (event.kind === 'failed') {
			// The launcher writes the failure to its journal meanwhile.
			if (starting) this.#options.clock.setTimer(FORGET_MS, () => this.#use(number, -1));
			starting?.started.reject(new StartFailure(event.failure));
		} else if (event.kind === 'ended') this.#end(event);
		else if (starting) {
			const identity = identityOf(event);
			const program = programOf(event);
			const running = { identity, program, number, exit: Promise.withResolvers<ProcessEnd>() };
			this.#running.set(event.id, running);
			starting.started.resolve(running);
		} else signalProcess(event.pid, KILL_SIGNAL);
	}

	#end(event: Ended): void {
		const running = this.#running.get(event.id);
		if (!running) return;
		this.#running.delete(event.id);
		running.exit.resolve(shimEndOf(event));
	}

	#lookForLost(): void {
		const lost = Array.from(this.#running).filter(([, { identity }]) => !isRunning(identity));
		if (lost.length === 0) return;
		// A waiter writes its report before it exits.
		this.#readEvents();
		for (const [id, running] of lost) {
			if (!this.#running.delete(id)) continue;
			if (running.program) killTree(running.program);
			running.exit.resolve({ exitCode: 137, finishedAt: this.#options.clock.now(), isUnknown: true });
		}
	}

	/** Counts the containers of a file, and removes an old file that has none. */
	#use(number: number, change: number): void {
		const users = (this.#users.get(number) ?? 0) + change;
		this.#users.set(number, users);
		const isCurrent = this.#server !== undefined && number === this.#lastNumber;
		if (users > 0 || isCurrent) return;
		this.#files.get(number)?.close(true);
		this.#files.delete(number);
		this.#users.delete(number);
	}

	#processOf({ identity, number, exit }: Running): MainProcess {
		let hasExited = false;
		void exit.promise.then(() => {
			hasExited = true;
		});
		const signal = (name: NodeJS.Signals | number): void => {
			if (!hasExited && isRunning(identity)) signalProcess(identity.pid, name);
		};
		let isForgotten = false;
		const forget = (): void => {
			if (!isForgotten) this.#use(number, -1);
			isForgotten = true;
		};
		return {
			identity,
			exit: exit.promise,
			endsOthers: true,
			forget,
			signal,
			kill: () => signal(KILL_SIGNAL),
		};
	}
}

type Started = ShimEvent & { readonly kind: 'started' };
type Ended = ShimEvent & { readonly kind: 'ended' };

function shimEndOf({ status, finishedAt, oomKills }: Ended): ProcessEnd {
	const end = endOf(status, finishedAt);
	return oomKills > 0 ? { ...end, isOutOfMemory: true } : end;
}

function programOf({ program, startedAt }: Started): ProcessIdentity | undefined {
	return program && { ...program, startedAt };
}

function identityOf({ pid, start, startedAt }: Started): ProcessIdentity {
	return { pid, start, startedAt };
}
