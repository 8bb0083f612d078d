import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../../../base/clock.ts';
import type { SocketAddress } from '../../../pod-sockets.ts';
import { kernelRefusal } from '../kernel-refusal.ts';

/** What {@link PortLookup.start} needs. */
export interface PortLookupOptions {
	/** The shim's executable file. */
	readonly shim: string;
	readonly clock: Clock;
	/** Called if the process ends after it has started. */
	onEnd(): void;
}

/** The kernel refuses: what was asked for, or all of it. */
export class KernelRefusal extends Error {
	override readonly name = 'KernelRefusal';
	/** The system's code if the port is another socket's. */
	readonly code: string | undefined;

	constructor(words: string) {
		super(kernelRefusal(words));
		this.code = words.startsWith(`${ADDRESS_IN_USE} `) ? 'EADDRINUSE' : undefined;
	}
}

const ADDRESS_IN_USE = 98;
/** The longest that the process may take for a line: it never waits for anything. */
const LONGEST_MS = 5000;

interface Asked {
	resolve(): void;
	reject(error: Error): void;
}

/** The process that lets the kernel choose among sockets: native/shim/ports.c. It answers each line by another one, in order. */
export class PortLookup {
	readonly #child: ChildProcessByStdio<Writable, Readable, null>;
	readonly #clock: Clock;
	readonly #asked: Asked[] = [];
	#hasEnded = false;

	private constructor(child: ChildProcessByStdio<Writable, Readable, null>, clock: Clock) {
		this.#child = child;
		this.#clock = clock;
		createInterface(child.stdout).on('line', (line) => this.#take(line));
		child.once('close', () => this.#end());
		// A line for a process that has just ended.
		child.stdin.on('error', () => {});
	}

	/** Starts it. Rejects with {@link KernelRefusal}, or an Error if it cannot be started at present. */
	static async start({ shim, clock, onEnd }: PortLookupOptions): Promise<PortLookup> {
		const child = spawn(shim, ['ports', String(process.pid)], { stdio: ['pipe', 'pipe', 'ignore'], env: {} });
		child.once('error', () => {});
		// Without a free descriptor it has no pipes either.
		if (child.pid === undefined) throw new Error(`${shim} cannot be started`);
		const lookup = new PortLookup(child, clock);
		await lookup.#answer();
		child.once('close', onEnd);
		// It must not keep this process from exiting.
		child.unref();
		for (const stream of [child.stdin, child.stdout]) if (stream instanceof Socket) stream.unref();
		return lookup;
	}

	/** Gives the connections to `to` to the socket of this process that listens at the port `at` of the same address. */
	async give({ host, port }: SocketAddress, at: number): Promise<void> {
		await this.#ask(`give ${host} ${port} ${at}`);
	}

	/** Refuses the connections to a port that no socket is given, or `pass`: no longer. */
	async refuse({ host, port }: SocketAddress, verb: 'refuse' | 'pass' = 'refuse'): Promise<void> {
		await this.#ask(`${verb} ${host} ${port}`);
	}

	/** Ends it: it has nothing to complete. */
	stop(): void {
		this.#child.kill('SIGKILL');
	}

	async #ask(line: string): Promise<void> {
		const answer = this.#answer();
		if (!this.#hasEnded) this.#child.stdin.write(`${line}\n`);
		await answer;
	}

	async #answer(): Promise<void> {
		if (this.#hasEnded) throw ended();
		const timer = this.#clock.setTimer(LONGEST_MS, () => this.stop());
		await new Promise<void>((resolve, reject) => this.#asked.push({ resolve, reject })).finally(() =>
			timer.cancel(),
		);
	}

	#take(line: string): void {
		const asked = this.#asked.shift();
		if (line === 'ok') asked?.resolve();
		else asked?.reject(new KernelRefusal(line));
	}

	#end(): void {
		this.#hasEnded = true;
		for (const { reject } of this.#asked.splice(0)) reject(ended());
	}
}

function ended(): Error {
	return new Error('the process that gives sockets the ports of Services has ended');
}
