import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type {
	ApiRequest,
	ApiTransport,
	ApiWatch,
	ApiWatchSink,
} from '../../../src/api/contract/transport.ts';
import { isApiError } from '../../../src/api/errors/api-error.ts';
import type { ApiServer } from '../../../src/apiserver/server.ts';
import { ServerUnreachableError } from '../../../src/client/transport/server-unreachable.ts';
import { MemoryStore } from '../../../src/store/memory/memory-store.ts';
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts';
import { type Store, StoreUnavailableError } from '../../../src/store/store.ts';
import type { Dice } from '../dice.ts';
import type { Trace } from '../trace.ts';

/** What a {@link ServerHost} needs. */
export interface ServerHostOptions {
	readonly storage: 'memory' | 'sqlite';
	/** The folder of the database; unused with storage in memory. */
	readonly folder: string;
	readonly dice: Dice;
	readonly trace: Trace;
	/** The transport of the simulated processes to a server that runs. */
	readonly transportOf: (server: ApiServer) => ApiTransport;
	/** The probability that a BEGIN or COMMIT of the database fails. */
	readonly faultProbability: number;
	makeServer(store: Store): ApiServer;
	/** Called with each server before its first request. */
	started(server: ApiServer): Promise<void>;
}

/**
 * The process of the API server. When it dies, its clients lose their watches and the answers to requests in
 * flight, which the server may have performed or not. Acknowledged writes exist again after the restart.
 */
export class ServerHost {
	readonly #options: ServerHostOptions;
	#store: Store | undefined;
	#server: ApiServer | undefined;
	/** The transport of the processes to {@link #server}. */
	#served: ApiTransport | undefined;
	#up = Promise.withResolvers<ApiServer>();
	#watches = new Set<ApiWatchSink>();
	/** The database fails only while this is true. */
	#isFaulty = true;
	#pendingWrites = 0;

	constructor(options: ServerHostOptions) {
		this.#options = options;
	}

	/** The transport of the simulated processes: a dead server is unreachable. */
	readonly transport: ApiTransport = {
		request: (request) => this.#whileUp((transport) => transport.request(request)),
		watch: (request, sink) => this.#watch(request, sink),
		stream: (request) => this.#whileUp((transport) => transport.stream(request)),
		duplex: (request) => this.#whileUp((transport) => transport.duplex(request)),
	};

	/** The transport of the users, who wait until the server runs. */
	readonly patientTransport: ApiTransport = {
		request: async (request) => (await this.#up.promise).request(request),
		watch: async (request, sink) => (await this.#up.promise).watch(request, sink),
		stream: async (request) => (await this.#up.promise).stream(request),
		duplex: async (request) => (await this.#up.promise).duplex(request),
	};

	/** How many writes the store has not completed. */
	get pendingWrites(): number {
		return this.#pendingWrites;
	}

	/** Starts the server unless it runs; resolves once it serves. A disk that fails only once delays the start. */
	async start(): Promise<void> {
		while (!this.#server) {
			try {
				this.#server = await this.#startOnce();
			} catch (error) {
				if (!isDiskFault(error)) throw error;
			}
		}
	}

	async #startOnce(): Promise<ApiServer> {
		this.#store ??= await this.#openStore();
		const server = this.#options.makeServer(this.#counting(this.#store));
		await server.start();
		try {
			await this.#options.started(server);
		} catch (error) {
			server.close();
			throw error;
		}
		this.#served = this.#options.transportOf(server);
		this.#options.trace.note('API server', `starts at ${this.#store.revision}`);
		this.#up.resolve(server);
		return server;
	}

	/** Kills the server at once; {@link start} restarts it. Resolves once its database is closed. */
	async kill(): Promise<void> {
		const server = this.#server;
		if (!server) return;
		this.#options.trace.note('API server', 'is dead');
		this.#server = undefined;
		this.#served = undefined;
		this.#up = Promise.withResolvers();
		for (const sink of [...this.#watches]) sink.ended(dead());
		server.close();
		if (this.#options.storage === 'memory') return;
		const store = this.#store;
		this.#store = undefined;
		await store?.close();
	}

	/** From now on no transaction fails. */
	stopFaults(): void {
		this.#isFaulty = false;
	}

	/** Kills the server and closes the store. */
	async close(): Promise<void> {
		await this.kill();
		await this.#store?.close();
	}

	async #whileUp<T>(ask: (transport: ApiTransport) => Promise<T>): Promise<T> {
		const served = this.#served;
		if (!served) throw dead();
		const [outcome] = await Promise.allSettled([ask(served)]);
		// The server died meanwhile: it may have performed the request, but the answer does not arrive.
		if (this.#served !== served) throw dead();
		if (outcome.status === 'rejected') throw outcome.reason;
		return outcome.value;
	}

	#watch(request: ApiRequest, sink: ApiWatchSink): Promise<ApiWatch> {
		return this.#whileUp(async (transport) => {
			const own: ApiWatchSink = {
				events: (batch) => {
					if (this.#watches.has(own)) sink.events(batch);
				},
				ended: (error) => {
					if (this.#watches.delete(own)) sink.ended(error);
				},
			};
			this.#watches.add(own);
			const watch = await transport.watch(request, own).catch((error: unknown) => {
				this.#watches.delete(own);
				throw error;
			});
			return {
				stop: () => {
					this.#watches.delete(own);
					watch.stop();
				},
			};
		});
	}

	#openStore(): Promise<Store> | Store {
		const { storage, folder } = this.#options;
		if (storage === 'memory') return new MemoryStore();
		return openSqliteStore({
			path: join(folder, 'store.db'),
			openDatabase: (path) => new FaultyDatabase(path, () => this.#drawFault()),
		});
	}

	#drawFault(): boolean {
		const { dice, faultProbability, trace } = this.#options;
		if (!this.#isFaulty || !dice.chance(faultProbability)) return false;
		trace.note('API server', 'its disk fails once');
		return true;
	}

	/** Wraps the store so that {@link pendingWrites} counts its writes until they settle. */
	#counting(store: Store): Store {
		return new Proxy(store, {
			get: (target, property) => {
				const value: unknown = Reflect.get(target, property, target);
				if (typeof value !== 'function') return value;
				if (property !== 'write') return value.bind(target);
				return (...args: readonly unknown[]) => {
					this.#pendingWrites += 1;
					const answer: Promise<unknown> = Reflect.apply(value, target, args);
					return answer.finally(() => {
						this.#pendingWrites -= 1;
					});
				};
			},
		});
	}
}

/**
 * A database whose transactions fail at BEGIN or at COMMIT. It never syncs to the disk: no run
 * kills the operating system, so an fsync would only cost time.
 */
class FaultyDatabase extends DatabaseSync {
	readonly #fails: () => boolean;

	constructor(path: string, fails: () => boolean) {
		super(path, { timeout: 0 });
		this.#fails = fails;
	}

	override exec(sql: string): void {
		const [word = ''] = sql.split(' ');
		if ((word === 'BEGIN' || word === 'COMMIT') && !sql.includes(';') && this.#fails())
			throw Object.assign(new Error(`disk I/O error at ${word}`), { errcode: 10 });
		super.exec(sql.replace('synchronous = FULL', 'synchronous = OFF'));
	}
}

/** Whether an error of the store is one that {@link FaultyDatabase} injected: a service manager would restart the server. */
function isDiskFault(error: unknown): boolean {
	return error instanceof StoreUnavailableError || isApiError(error, 'ServiceUnavailable');
}

function dead(): ServerUnreachableError {
	return new ServerUnreachableError('simulated', new Error('connection refused'));
}
