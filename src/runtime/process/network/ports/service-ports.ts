/**
 * The sockets of a server whose Services have addresses of this machine: they get the connections to their ports also while
 * another program listens at those ports of all addresses, and keep no program from that. By a process of the shim (native/shim/ports.c),
 * which a kernel of Linux 5.9 or later lets choose among listening sockets if its user is root.
 *
 * 1. A socket listens at a port that the system chooses; the process gives it the connections to the port that was asked for.
 * 2. Where the kernel refuses, sockets listen at the port itself. Those for datagrams always do: their answers come from there.
 * 3. A process that has ended is started again, for all sockets that listen then.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { BlockList, type Server, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { HOST_SOCKETS, type PodSockets, type SocketAddress } from '../../pod-sockets.ts';
import { kernelRefusal } from './kernel-refusal.ts';
import { addRange } from './node/address-ranges.ts';

/** The components and settings of {@link ServicePorts}. */
export interface ServicePortsOptions {
	/** The shim's executable file. */
	readonly shim: string;
	/** The addresses of Services, such as `10.96.0.0/16`. */
	readonly serviceRange: string;
	readonly clock: Clock;
	/** Receives why sockets that listen get no connections until the process runs again. */
	onError(error: unknown): void;
}

/** How long a process that has ended stays so. */
const RESTART_MS = 500;

/** See the header of this file. */
export class ServicePorts implements PodSockets {
	readonly #options: ServicePortsOptions;
	readonly #range = new BlockList();
	/** The ports that were asked for, of the sockets that listen at another one. */
	readonly #listening = new Map<Server, SocketAddress>();
	/** Undefined in it: the kernel refuses. */
	#lookup: Promise<SocketLookup | undefined> | undefined;
	#isStopped = false;

	readonly connect = HOST_SOCKETS.connect;
	readonly bind = HOST_SOCKETS.bind;
	readonly datagramsTo = HOST_SOCKETS.datagramsTo;
	readonly isPod = HOST_SOCKETS.isPod;

	constructor(options: ServicePortsOptions) {
		this.#options = options;
		addRange(this.#range, options.serviceRange);
	}

	async listen(server: Server, at: SocketAddress): Promise<void> {
		const lookup = this.#range.check(at.host) ? await this.#started() : undefined;
		if (!lookup) return await HOST_SOCKETS.listen(server, at);
		await HOST_SOCKETS.listen(server, { host: at.host, port: 0 });
		try {
			await lookup.add(at, portOf(server));
		} catch {
			// Such as a machine on which no process may take a descriptor of another one.
			await closed(server);
			return await HOST_SOCKETS.listen(server, at);
		}
		this.#listening.set(server, at);
		server.once('close', () => this.#listening.delete(server));
	}

	/** Ends the process: sockets that listen get no further connections. */
	stop(): void {
		this.#isStopped = true;
		void this.#lookup?.then((lookup) => lookup?.stop());
	}

	async #started(): Promise<SocketLookup | undefined> {
		if (this.#isStopped) return undefined;
		this.#lookup ??= SocketLookup.start(this.#options.shim, () => this.#restartLater());
		return await this.#lookup;
	}

	#restartLater(): void {
		this.#lookup = undefined;
		const { clock, onError } = this.#options;
		clock.setTimer(RESTART_MS, () => this.#restart().catch(onError));
	}

	async #restart(): Promise<void> {
		const lookup = await this.#started();
		if (lookup) for (const [server, at] of this.#listening) await lookup.add(at, portOf(server));
		else if (!this.#isStopped) this.#restartLater();
	}
}

async function closed(server: Server): Promise<void> {
	await new Promise((resolve) => server.close(resolve));
}

/** The port at which a server listens; 0 if it does not. */
function portOf(server: Server): number {
	const address = server.address();
	return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Asked {
	resolve(): void;
	reject(error: Error): void;
}

/** The process that lets the kernel choose. It answers each line that it gets by another one, in order. */
class SocketLookup {
	readonly #child: Child;
	readonly #asked: Asked[] = [];
	#hasEnded = false;

	private constructor(child: Child) {
		this.#child = child;
		createInterface(child.stdout).on('line', (line) => this.#take(line));
		child.once('error', () => this.#end()).once('close', () => this.#end());
		// A line for a process that has just ended.
		child.stdin.on('error', () => {});
	}

	/** Starts it; resolves to undefined if it cannot be started, or the kernel refuses. `onEnd` is called if it ends later. */
	static async start(shim: string, onEnd: () => void): Promise<SocketLookup | undefined> {
		const child = spawn(shim, ['ports', String(process.pid)], { stdio: ['pipe', 'pipe', 'ignore'], env: {} });
		const lookup = new SocketLookup(child);
		try {
			await lookup.#answer();
		} catch {
			return undefined;
		}
		child.once('close', onEnd);
		// It must not keep this process from exiting.
		child.unref();
		for (const stream of [child.stdin, child.stdout]) if (stream instanceof Socket) stream.unref();
		return lookup;
	}

	/** Gives the connections to `to` to the socket of this process that listens at the port `at` of the same address. */
	async add({ host, port }: SocketAddress, at: number): Promise<void> {
		const answer = this.#answer();
		this.#child.stdin.write(`add ${host} ${port} ${at}\n`);
		await answer;
	}

	stop(): void {
		this.#child.stdin.end();
	}

	async #answer(): Promise<void> {
		if (this.#hasEnded) throw ended();
		await new Promise<void>((resolve, reject) => this.#asked.push({ resolve, reject }));
	}

	#take(line: string): void {
		const asked = this.#asked.shift();
		if (line === 'ok') asked?.resolve();
		else asked?.reject(new Error(kernelRefusal(line)));
	}

	#end(): void {
		this.#hasEnded = true;
		for (const { reject } of this.#asked.splice(0)) reject(ended());
	}
}

function ended(): Error {
	return new Error('the process that gives sockets the ports of Services has ended');
}
