import assert from 'node:assert/strict';
import type { ApiTransport, ApiWatch, WatchEvent } from '../api/meta/transport.ts';
import { SystemClock } from '../base/clock.ts';

/** How long a test waits for events that should come at once. */
const PATIENCE_MS = 10_000;

/** A watch of a test, which collects what it is told. */
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

	/** The events so far as `TYPE name`, once there are `count` of them; fails if they don't come. */
	async texts(count: number): Promise<readonly string[]> {
		const come = Promise.withResolvers<void>();
		const look = (): void => {
			if (this.events.length >= count) come.resolve();
		};
		this.#waiting.push(look);
		look();
		await withPatience(come.promise, () => {
			const last = this.#texts().slice(-3).join(', ');
			return `the watch told ${this.events.length} events of the ${count} that it should; the last ones: ${last}`;
		});
		return this.#texts();
	}

	/** Why the watch ended, once it has: undefined at its normal end. Fails if the watch does not end. */
	ended(): Promise<Error | undefined> {
		return withPatience(this.#ended.promise, () => 'the watch did not end');
	}

	#texts(): readonly string[] {
		return this.events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());
	}

	#take(batch: readonly WatchEvent[]): void {
		this.events.push(...batch);
		for (const look of this.#waiting) look();
	}
}

/** What `promise` resolves to; fails with `missing` if that takes unreasonably long. */
export function withPatience<T>(promise: Promise<T>, missing: () => string): Promise<T> {
	return new Promise((resolve, reject) => {
		const timer = new SystemClock({ keepsAlive: true }).setTimer(PATIENCE_MS, () => {
			reject(new assert.AssertionError({ message: `after ${PATIENCE_MS / 1000} s: ${missing()}` }));
		});
		promise.then(resolve, reject).finally(() => timer.cancel());
	});
}
