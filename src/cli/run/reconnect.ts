import type { ApiTransport } from '../../api/contract/transport.ts';
import { isApiError } from '../../api/errors/api-error.ts';
import type { Clock } from '../../base/clock.ts';
import { Client } from '../../client/client.ts';
import { ShortWatchError } from '../../client/short-watch-error.ts';
import { ServerUnreachableError } from '../../client/transport/server-unreachable.ts';
import { CommandError, type Connection } from '../context.ts';
import { describeError } from '../errors.ts';

/** How long informers may fail to reach the server before the command aborts. */
const TIMEOUT_MS = 20_000;

/**
 * Tracks whether the server can be reached while informers retry without a limit. It prints the first error
 * of an outage, and ends the command if the outage lasts {@link TIMEOUT_MS}.
 */
export class Outage {
	/** Rejects with a CommandError once an outage has lasted {@link TIMEOUT_MS}; never resolves. */
	readonly lost: Promise<never>;
	readonly #clock: Clock;
	readonly #report: (text: string) => void;
	readonly #lost = Promise.withResolvers<never>();
	/** Monotonic time of the first failure of the current outage; undefined if there is none. */
	#startedAt: number | undefined;
	/** Monotonic time of the last failure. */
	#lastFailureAt = 0;

	constructor(clock: Clock, report: (text: string) => void) {
		this.#clock = clock;
		this.#report = report;
		this.lost = this.#lost.promise;
		// Callers race it against the end of the Job. A rejection after the race must not be an unhandled one.
		this.lost.catch(() => undefined);
	}

	/** An informer calls it with each error, before it retries. */
	observeFailure(error: unknown): void {
		// The server ends a watch whose revision was compacted with 410; the informer lists again. That is no outage.
		if (isApiError(error, 'Expired') || isApiError(error, 'Gone')) return;
		const now = this.#clock.monotonic();
		// Informers retry more often than this: after such a gap the earlier outage must have ended.
		if (now - this.#lastFailureAt > TIMEOUT_MS) this.#startedAt = undefined;
		this.#lastFailureAt = now;
		if (this.#startedAt === undefined) this.#report(outageText(error));
		this.#startedAt ??= now;
		if (now - this.#startedAt < TIMEOUT_MS) return;
		this.#lost.reject(new CommandError('lost the connection to the server; running Jobs are not stopped'));
	}

	/** Ends the outage: the server has responded. */
	observeProgress(): void {
		this.#startedAt = undefined;
	}

	/** A connection whose transport is {@link observing}. */
	observed(connection: Connection): Connection {
		const client = new Client(this.observing(connection.client.transport), { fieldManager: 'stint' });
		return { ...connection, client };
	}

	/**
	 * A transport that calls {@link observeProgress} for each response. The opening of a watch counts too: a watch
	 * without events must not look like an outage.
	 */
	observing(transport: ApiTransport): ApiTransport {
		const answered = <T>(value: T): T => {
			this.observeProgress();
			return value;
		};
		return {
			request: async (request) => answered(await transport.request(request)),
			watch: async (request, sink) => answered(await transport.watch(request, sink)),
			stream: async (request) => answered(await transport.stream(request)),
			duplex: async (request) => answered(await transport.duplex(request)),
		};
	}
}

/** What happens, for a user whose command is running. kubectl's text for a server that is not reached asks for its address. */
function outageText(error: unknown): string {
	const retrying = `retrying for ${TIMEOUT_MS / 1000}s`;
	if (error instanceof ServerUnreachableError)
		return `lost the connection to the server (${error.why}); ${retrying}`;
	if (error instanceof ShortWatchError) return `${error.message}; ${retrying}`;
	return `${describeError(error)}\n${retrying}`;
}
