import { isApiError } from '../../api/meta/api-error.ts';
import type { ApiTransport } from '../../api/meta/transport.ts';
import type { Clock } from '../../base/clock.ts';
import { Client } from '../../client/client.ts';
import { CommandError, type Connection } from '../context.ts';
import { describeError } from '../errors.ts';

/** How long the server may be out of reach before one gives up. */
const PATIENCE_MS = 20_000;

/**
 * Keeps an eye on the connection to the server while informers try again and again: says once that it
 * is lost, and after a while that it is lost for good.
 */
export class Outage {
	/** Rejects with a CommandError once the server has been out of reach for too long. */
	readonly lost: Promise<never>;
	readonly #clock: Clock;
	readonly #say: (text: string) => void;
	readonly #lost = Promise.withResolvers<never>();
	#since: number | undefined;
	#last = 0;

	constructor(clock: Clock, say: (text: string) => void) {
		this.#clock = clock;
		this.#say = say;
		this.lost = this.#lost.promise;
		// It is raced against other ends; a loss that comes after one of them is no fault.
		this.lost.catch(() => undefined);
	}

	/** Takes in that something failed, which will be tried again. */
	observeFailure(error: unknown): void {
		// That is how a watch that fell behind ends; it is followed by a new list.
		if (isApiError(error, 'Expired') || isApiError(error, 'Gone')) return;
		const now = this.#clock.monotonic();
		// What failed long ago has worked in the meantime, or it would have failed again.
		if (now - this.#last > PATIENCE_MS) this.#since = undefined;
		this.#last = now;
		if (this.#since === undefined) this.#say(`${describeError(error)}\ntrying again`);
		this.#since ??= now;
		if (now - this.#since < PATIENCE_MS) return;
		this.#lost.reject(new CommandError('lost the connection to the server; running Jobs are not stopped'));
	}

	/** Takes in that the server has answered. */
	observeProgress(): void {
		this.#since = undefined;
	}

	/** The same connection, by {@link observing}. */
	observed(connection: Connection): Connection {
		const client = new Client(this.observing(connection.client.transport), { fieldManager: 'stint' });
		return { ...connection, client };
	}

	/** The same transport, each answer of which counts as progress: a watch that opens, too, even if it is quiet. */
	observing(transport: ApiTransport): ApiTransport {
		const answered = <T>(value: T): T => {
			this.observeProgress();
			return value;
		};
		return {
			request: async (request) => answered(await transport.request(request)),
			watch: async (request, sink) => answered(await transport.watch(request, sink)),
			stream: async (request) => answered(await transport.stream(request)),
		};
	}
}
