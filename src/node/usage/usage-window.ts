/**
 * Measures usage for clients, and only while clients ask: a rate needs two measurements. The first client waits half a
 * second for the second one; while clients ask at least once a minute, a measurement is taken every 15 seconds, as
 * metrics-server does, and further clients get the rate since the last one before.
 */
import type { MachineUsage, NodeUse } from '../../api/contract/usage.ts';
import { type Clock, sleep, type Timer } from '../../base/clock.ts';
import { type UsageSample, usageBetween } from '../../plan/usage/rates.ts';
import type { Runtime } from '../../runtime/contract.ts';

/** metrics-server's resolution. */
const EVERY_MS = 15_000;
/** How long after the last client measuring stops. */
const INTEREST_MS = 60_000;
/** The shortest time between two measurements that makes a rate. */
const SHORTEST_MS = 500;

/** What a {@link UsageWindow} measures with. */
export interface UsageWindowOptions {
	readonly clock: Clock;
	readonly runtime: Pick<Runtime, 'usage'>;
	measureMachine(now: number): Promise<MachineUsage>;
	onError(error: unknown): void;
}

/** See the header of this file. */
export class UsageWindow {
	readonly #options: UsageWindowOptions;
	#earlier: UsageSample | undefined;
	#later: UsageSample | undefined;
	#askedAt = Number.NEGATIVE_INFINITY;
	#timer: Timer | undefined;
	/** The first two measurements, which concurrent clients wait for together. */
	#beginning: Promise<void> | undefined;

	constructor(options: UsageWindowOptions) {
		this.#options = options;
	}

	/** The usage of the node. Rejects with RuntimeUnavailable, like the calls of the runtime. */
	async read(): Promise<NodeUse> {
		this.#askedAt = this.#options.clock.monotonic();
		this.#beginning ??= this.#begin();
		await this.#beginning;
		const [earlier, later] = [this.#earlier, this.#later];
		if (!earlier || !later) throw new Error('the usage was not measured');
		return usageBetween(earlier, later);
	}

	/** Stops measuring. */
	stop(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#beginning = undefined;
	}

	async #begin(): Promise<void> {
		try {
			this.#earlier = await this.#measure();
			await sleep(this.#options.clock, SHORTEST_MS);
			this.#later = await this.#measure();
			this.#schedule();
		} catch (error) {
			this.#beginning = undefined;
			throw error;
		}
	}

	#schedule(): void {
		const { clock, onError } = this.#options;
		this.#timer = clock.setTimer(EVERY_MS, () => {
			if (clock.monotonic() - this.#askedAt > INTEREST_MS) return this.stop();
			this.#measure()
				.then((sample) => {
					this.#earlier = this.#later;
					this.#later = sample;
				}, onError)
				.then(() => {
					if (this.#timer) this.#schedule();
				}, onError);
		});
	}

	async #measure(): Promise<UsageSample> {
		const { clock, runtime, measureMachine } = this.#options;
		const containers = await runtime.usage();
		return { machine: await measureMachine(clock.now()), containers };
	}
}
