/**
 * Reads the containers again and again, since a runtime need not have events (containerd 1.6 has none). Where it has, each
 * event causes a look at once.
 */
import { type Clock, sleep, type Timer } from '../../base/clock.ts';
import { RuntimeUnavailable } from '../contract.ts';
import type { CriClient } from './client/cri-client.ts';
import type { CriContainers } from './containers/cri-containers.ts';

/** What is polled. */
export interface PollOptions {
	readonly client: Pick<CriClient, 'followEvents'>;
	readonly clock: Clock;
	readonly containers: Pick<CriContainers, 'all' | 'synchronize' | 'abandon'>;
	/** Ends the poll. */
	readonly signal: AbortSignal;
	onError(error: unknown): void;
}

/** The shortest interval, and a kubelet's interval (its generic PLEG), which is the longest here. */
const SHORTEST_MS = 50;
const LONGEST_MS = 1000;
/** An end is found late by at most this part of the time that the container ran. */
const SHARE = 0.05;
/** Interval at which lost events are asked for again. */
const RECONNECT_MS = 1000;

/** See the header of this file. */
export class RuntimePoll {
	readonly #options: PollOptions;
	#timer: { readonly due: number; readonly timer: Timer } | undefined;
	#isLooking = false;
	/** Whether something has happened since the look in progress began. */
	#mustLook = false;
	#isLost = false;

	constructor(options: PollOptions) {
		this.#options = options;
	}

	/** Polls until the signal aborts. */
	run(): void {
		this.#options.signal.addEventListener('abort', () => this.#timer?.timer.cancel(), { once: true });
		this.soon();
		void this.#follow();
	}

	/**
	 * Looks as soon as the containers demand it. The younger the youngest running container is, the sooner: short programs are
	 * not made long by the wait for the next look.
	 */
	soon(): void {
		const { clock, signal } = this.#options;
		if (signal.aborted) return;
		const delay = this.#intervalMs();
		const due = clock.monotonic() + delay;
		if (this.#timer && this.#timer.due <= due) return;
		this.#timer?.timer.cancel();
		const look = (): void => {
			this.#timer = undefined;
			void this.#look();
		};
		this.#timer = { due, timer: clock.setTimer(delay, look) };
	}

	async #look(): Promise<void> {
		if (this.#isLooking) {
			this.#mustLook = true;
			return;
		}
		this.#isLooking = true;
		this.#timer?.timer.cancel();
		this.#timer = undefined;
		do {
			this.#mustLook = false;
			await this.#synchronize();
		} while (this.#mustLook && !this.#options.signal.aborted);
		this.#isLooking = false;
		this.soon();
	}

	async #synchronize(): Promise<void> {
		const { containers, signal, onError } = this.#options;
		try {
			await containers.synchronize();
			this.#isLost = false;
		} catch (error) {
			if (signal.aborted) return;
			// A runtime that restarts is one error, however often it is asked.
			if (!this.#isLost || !(error instanceof RuntimeUnavailable)) onError(error);
			this.#isLost = true;
			containers.abandon();
		}
	}

	/** Follows the events of a runtime that has them. */
	async #follow(): Promise<void> {
		const { client, clock, signal } = this.#options;
		const onEvent = (): void => void this.#look();
		while (!signal.aborted) {
			const hasEvents = await client.followEvents(onEvent, signal).catch(() => true);
			if (!hasEvents || signal.aborted) return;
			await sleep(clock, RECONNECT_MS, signal);
		}
	}

	/** The time until the next look. */
	#intervalMs(): number {
		const { containers, clock } = this.#options;
		const starts = containers
			.all()
			.flatMap(({ status }) => (status.state === 'running' ? [status.startedAt] : []));
		if (starts.length === 0) return LONGEST_MS;
		const youngest = clock.now() - Math.max(...starts);
		return Math.min(Math.max(youngest * SHARE, SHORTEST_MS), LONGEST_MS);
	}
}
