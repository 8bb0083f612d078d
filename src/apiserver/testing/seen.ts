import assert from 'node:assert/strict';
import type { ApiTransport, ApiWatch, WatchEvent } from '../../api/contract/transport.ts';
import { SystemClock } from '../../base/clock.ts';

/** How long a test waits for events that should arrive at once. */
const PATIENCE_MS = 10_000;

/** A watch for tests, which collects the events that it receives. */
export class Seen {
	readonly events: WatchEvent[] = [];
	readonly #ended = Promise.withResolvers<Error | undefined>();
	#waiting: Array<() => void> = [];
	watch: ApiWatch | undefined;

	/** Opens a watch on the collection at `path`. */
	static async open(
		transport: ApiTransport,
		path: string,
		query: Record<string, string> = {},
	): Promise<Seen> {
		const seen = new Seen();
		seen.watch = await transport.watch(
			{ method: 'GET', path, query: { watch: 'true', ...query } },
			{ events: (batch) => seen.#take(batch), ended: (error) => seen.#ended.resolve(error) },
		);
		return seen;
	}

	/**
	 * The events so far as `TYPE name`, once `count` of them have arrived. Fails if they do not arrive in time.
	 */
	async texts(count: number): Promise<readonly string[]> {
		const arrived = Promise.withResolvers<void>();
		const check = (): void => {
			if (this.events.length >= count) arrived.resolve();
		};
		this.#waiting.push(check);
		check();
		await withPatience(arrived.promise, () => {
			const last = this.#texts().slice(-3).join(', ');
			return `the watch received ${this.events.length} of ${count} events; the last ones: ${last}`;
		});
		return this.#texts();
	}

	/**
	 * Resolves to the error that ended the watch, or to undefined at its normal end. Fails if the watch does
	 * not end in time.
	 */
	ended(): Promise<Error | undefined> {
		return withPatience(this.#ended.promise, () => 'the watch did not end');
	}

	#texts(): readonly string[] {
		return this.events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());
	}

	#take(batch: readonly WatchEvent[]): void {
		this.events.push(...batch);
		for (const check of this.#waiting) check();
	}
}

/** Resolves like `promise`. Fails with the message `missing` if that takes longer than ten seconds. */
export function withPatience<T>(promise: Promise<T>, missing: () => string): Promise<T> {
	return new Promise((resolve, reject) => {
		const timer = new SystemClock({ keepsAlive: true }).setTimer(PATIENCE_MS, () => {
			reject(new assert.AssertionError({ message: `after ${PATIENCE_MS / 1000} s: ${missing()}` }));
		});
		promise.then(resolve, reject).finally(() => timer.cancel());
	});
}
