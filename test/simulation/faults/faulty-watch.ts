import type { ApiWatch, ApiWatchSink, WatchEvent } from '../../../src/api/contract/transport.ts';
import { expired, internalError } from '../../../src/api/errors/api-error.ts';
import type { Observed } from '../oracles/observed.ts';
import type { ProcessLife } from '../oracles/process-life.ts';
import type { Faults } from './faults.ts';

/** What a {@link FaultyWatch} needs. */
export interface FaultyWatchOptions {
	readonly life: ProcessLife;
	readonly faults: Faults;
	readonly observed: Observed;
	readonly sink: ApiWatchSink;
	/** The path of the watched collection. */
	readonly path: string;
	note(what: string): void;
}

/**
 * A watch between the server and a process. At times it delivers events late, but always in order; at times it
 * ends early, and the events that it has held back are lost, as in a broken connection.
 */
export class FaultyWatch implements ApiWatch {
	readonly #options: FaultyWatchOptions;
	readonly #held: WatchEvent[] = [];
	#holding = false;
	#over = false;
	#server: ApiWatch | undefined;

	constructor(options: FaultyWatchOptions) {
		this.#options = options;
		options.life.onDeath(() => this.stop());
	}

	/** The path of the watched collection. */
	get path(): string {
		return this.#options.path;
	}

	/** Passes the server's watch, once that is open. */
	attach(server: ApiWatch): void {
		this.#server = server;
		if (this.#over) server.stop();
	}

	stop(): void {
		this.#over = true;
		this.#held.length = 0;
		this.#server?.stop();
	}

	/** Holds back all events until {@link release}. */
	hold(): void {
		this.#holding = true;
	}

	/** Delivers the events that were held back. */
	release(): void {
		this.#holding = false;
		const events = this.#held.splice(0);
		if (events.length > 0) this.#deliver(events);
	}

	/** Ends the watch as the network or the server would. */
	cut(because: 'end' | 'fault' | 'expired'): void {
		if (this.#over) return;
		this.stop();
		this.#options.note(`the watch is cut (${because})`);
		this.#options.sink.ended(ENDS[because]);
	}

	/** Called by the server with its events. */
	events(batch: readonly WatchEvent[]): void {
		if (this.#over) return;
		if (this.#holding) {
			this.#held.push(...batch);
			return;
		}
		const { faults, life } = this.#options;
		const fate = faults.fateOfEvents();
		if (fate.kind === 'cut') {
			// Not synchronously: the first events can arrive before `watch()` has returned, and the client cannot
			// handle an end before that.
			this.hold();
			queueMicrotask(() => this.cut(fate.because));
		} else if (fate.kind === 'held') {
			this.hold();
			this.#held.push(...batch);
			life.setTimer(fate.forMs, () => this.release());
		} else this.#deliver(batch);
	}

	/** Called by the server when it ends the watch. */
	ended(error?: Error): void {
		if (this.#over) return;
		this.#over = true;
		this.#options.sink.ended(error);
	}

	#deliver(batch: readonly WatchEvent[]): void {
		if (this.#over) return;
		for (const { type, object } of batch) if (type !== 'BOOKMARK') this.#options.observed.add(object);
		this.#options.sink.events(batch);
	}
}

const ENDS = {
	end: undefined,
	fault: internalError('the watch broke off'),
	expired: expired('too old resource version'),
};
