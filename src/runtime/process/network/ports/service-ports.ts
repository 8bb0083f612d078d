/**
 * The sockets of a server whose Services have addresses of this machine. A TCP port of a Service and the same port of a program that
 * listens at all addresses are different ones: neither takes the other's connections, or keeps the other from listening. By a process
 * of the shim (port-lookup.ts), which a kernel of Linux 5.9 or later lets choose among listening sockets if its user is root.
 *
 * 1. A socket listens at one of the last ports of its address, which programs rarely want; the process gives it the connections to the
 *    port that was asked for, and connections to the other one are refused.
 * 2. Where the kernel refuses, sockets listen at the port itself. Those for datagrams always do: their answers come from there.
 * 3. A process that has ended is started again, for all sockets that listen then. If that fails repeatedly, they listen at the
 *    ports themselves.
 */
import type { Server } from 'node:net';
import type { Clock } from '../../../../base/clock.ts';
import { codeOf } from '../../../../base/files/system-error.ts';
import { HOST_SOCKETS, type PodSockets, type SocketAddress } from '../../../pod-sockets.ts';
import { KernelRefusal, PortLookup } from './port-lookup.ts';

/** The components and settings of {@link ServicePorts}. */
export interface ServicePortsOptions {
	/** The shim's executable file. */
	readonly shim: string;
	/** The addresses that are not those of Services: sockets listen there at the port itself. */
	readonly direct: readonly string[];
	readonly clock: Clock;
	/** Receives why Services share ports with programs of the machine after all. */
	onError(error: unknown): void;
}

/** How long a process that has ended stays so, for each attempt to start it again. */
const RESTARTS_MS = [500, 1000, 2000, 5000];
const LAST_PORT = 65_535;
/** The ports that are tried before the system chooses one. */
const TRIED_PORTS = 64;

/** See the header of this file. */
export class ServicePorts implements PodSockets {
	readonly #options: ServicePortsOptions;
	/** The ports that were asked for, of the sockets that listen at another one. */
	readonly #listening = new Map<Server, SocketAddress>();
	/** By {@link keyOf}. */
	readonly #refused = new Map<string, SocketAddress>();
	/** Absent: it is started by the next call. Resolves to undefined if the kernel refuses. */
	#lookup: Promise<PortLookup | undefined> | undefined;
	#isStopped = false;

	readonly connect = HOST_SOCKETS.connect;
	readonly bind = HOST_SOCKETS.bind;
	readonly datagramsTo = HOST_SOCKETS.datagramsTo;
	readonly isPod = HOST_SOCKETS.isPod;

	constructor(options: ServicePortsOptions) {
		this.#options = options;
	}

	async listen(server: Server, at: SocketAddress): Promise<void> {
		const lookup = this.#options.direct.includes(at.host) ? undefined : await this.#started();
		if (!lookup) return await HOST_SOCKETS.listen(server, at);
		await listenAtLast(server, at.host);
		this.#listening.set(server, at);
		server.once('close', () => this.#listening.delete(server));
		try {
			await lookup.give(at, portOf(server));
			this.#refused.delete(keyOf(at));
		} catch (error) {
			// The next process is given all that listen.
			if (error instanceof KernelRefusal) await this.#listenAnyway(server, at, error);
		}
	}

	async #listenAnyway(server: Server, at: SocketAddress, { code }: KernelRefusal): Promise<void> {
		this.#listening.delete(server);
		server.close();
		this.#pass(at);
		if (code === 'EADDRINUSE') throw addressInUse(at);
		// Such as a machine on which no process may take a descriptor of another one.
		await HOST_SOCKETS.listen(server, at);
	}

	refuse(at: SocketAddress): () => void {
		if (this.#options.direct.includes(at.host)) return () => {};
		this.#refused.set(keyOf(at), at);
		void this.#tell((lookup) => lookup.refuse(at));
		return () => this.#pass(at);
	}

	#pass(at: SocketAddress): void {
		if (this.#refused.delete(keyOf(at))) void this.#tell((lookup) => lookup.refuse(at, 'pass'));
	}

	/** Ends the process: sockets that listen get no further connections. */
	stop(): void {
		this.#isStopped = true;
		void this.#lookup?.then((lookup) => lookup?.stop());
	}

	/** The process; undefined if it cannot be started. Where the kernel refuses, that is not tried again. */
	async #started(): Promise<PortLookup | undefined> {
		if (this.#isStopped) return undefined;
		const { shim, clock } = this.#options;
		this.#lookup ??= PortLookup.start({ shim, clock, onEnd: () => this.#restartLater(0) }).catch((error) => {
			if (!(error instanceof KernelRefusal)) this.#lookup = undefined;
			return undefined;
		});
		return await this.#lookup;
	}

	/** What fails is asked for again when the process is started again. */
	async #tell(what: (lookup: PortLookup) => Promise<void>): Promise<void> {
		const lookup = await this.#started();
		if (lookup) await what(lookup).catch(() => {});
	}

	#restartLater(attempted: number): void {
		if (this.#isStopped) return;
		this.#lookup = undefined;
		const { clock, onError } = this.#options;
		clock.setTimer(RESTARTS_MS[attempted] ?? 0, () => this.#restart(attempted + 1).catch(onError));
	}

	async #restart(attempted: number): Promise<void> {
		const lookup = await this.#started();
		if (this.#isStopped) return;
		const mayStart = this.#lookup === undefined && attempted < RESTARTS_MS.length;
		if (!lookup && mayStart) return this.#restartLater(attempted);
		const gave = await Promise.all(Array.from(this.#listening, (each) => this.#giveAgain(lookup, ...each)));
		for (const at of this.#refused.values()) await this.#tell((each) => each.refuse(at));
		const failed = gave.find((each) => each !== undefined);
		if (failed !== undefined) throw failed;
	}

	/** Resolves to the error if the socket gets no connections, and still listens. */
	async #giveAgain(lookup: PortLookup | undefined, server: Server, at: SocketAddress): Promise<unknown> {
		// Of one that was closed, connections may be open still.
		if (!server.listening) return void this.#listening.delete(server);
		try {
			if (lookup) return void (await lookup.give(at, portOf(server)));
			this.#listening.delete(server);
			server.close();
			await HOST_SOCKETS.listen(server, at);
			return undefined;
		} catch (error) {
			return server.listening ? error : undefined;
		}
	}
}

function keyOf({ host, port }: SocketAddress): string {
	return `${host}:${port}`;
}

/** Lets a server listen at one of the last ports of an address. */
async function listenAtLast(server: Server, host: string): Promise<void> {
	for (let port = LAST_PORT; port > LAST_PORT - TRIED_PORTS; port -= 1) {
		try {
			return await HOST_SOCKETS.listen(server, { host, port });
		} catch (error) {
			if (codeOf(error) !== 'EADDRINUSE') throw error;
		}
	}
	await HOST_SOCKETS.listen(server, { host, port: 0 });
}

/** The port at which a server listens; 0 if it does not. */
function portOf(server: Server): number {
	const address = server.address();
	return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

function addressInUse({ host, port }: SocketAddress): Error {
	const message = `listen EADDRINUSE: address already in use ${host}:${port}`;
	return Object.assign(new Error(message), { code: 'EADDRINUSE' });
}
