import { expired, internalError } from '../../src/api/meta/api-error.ts';
import type { ApiWatch, ApiWatchSink, WatchEvent } from '../../src/api/meta/transport.ts';
import type { Faults } from './faults.ts';
import type { Observed } from './observed.ts';
import type { ProcessLife } from './process-life.ts';

/** What a {@link FaultyWatch} tells its events through. */
export interface FaultyWatchOptions {
	readonly life: ProcessLife;
	readonly faults: Faults;
	readonly observed: Observed;
	readonly sink: ApiWatchSink;
	/** What is watched. */
	readonly path: string;
	note(what: string): void;
}

/**
 * A watch between the server and a process: it tells the events late at times, always in order, and ends
 * before its time at others; what was held back then is lost.
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

	/** What is watched. */
	get path(): string {
		return this.#options.path;
	}

	/** The watch at the server, once it stands. */
	attach(server: ApiWatch): void {
		this.#server = server;
		if (this.#over) server.stop();
	}

	stop(): void {
		this.#over = true;
		this.#held.length = 0;
		this.#server?.stop();
	}

	/** Holds back whatever comes until {@link release}. */
	hold(): void {
		this.#holding = true;
	}

	/** Tells what was held back. */
	release(): void {
		this.#holding = false;
		const events = this.#held.splice(0);
		if (events.length > 0) this.#tell(events);
	}

	/** Ends the watch as the network or the server would. */
	cut(because: 'end' | 'fault' | 'expired'): void {
		if (this.#over) return;
		this.stop();
		this.#options.note(`the watch is cut (${because})`);
		this.#options.sink.ended(ENDS[because]);
	}

	/** Events from the server. */
	events(batch: readonly WatchEvent[]): void {
		if (this.#over) return;
		if (this.#holding) {
			this.#held.push(...batch);
			return;
		}
		const { faults, life } = this.#options;
		const fate = faults.fateOfEvents();
		if (fate.kind === 'cut') {
			// Not from within: who opens a watch may be told its first events before it has it in hand.
			this.hold();
			queueMicrotask(() => this.cut(fate.because));
		} else if (fate.kind === 'held') {
			this.hold();
			this.#held.push(...batch);
			life.setTimer(fate.forMs, () => this.release());
		} else this.#tell(batch);
	}

	/** The server has ended the watch. */
	ended(error?: Error): void {
		if (this.#over) return;
		this.#over = true;
		this.#options.sink.ended(error);
	}

	#tell(batch: readonly WatchEvent[]): void {
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
