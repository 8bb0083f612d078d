import type { Notice } from '../storage/notices.ts';
import type { WatchReader } from './watch-reader.ts';

/** Receives the notices of a watch in this process. The calls never overlap. */
export interface NoticeSink {
	/** Called with at least one notice, in order. */
	notices(batch: readonly Notice[]): void;
	/** Called when the watch ends by its time limit, or because of `error`. Not called after `stop()`. */
	ended(error?: unknown): void;
}

/**
 * A watch of a caller in this process. It reads like the watch of a connection (watch-reader.ts), but reads on
 * as soon as the reader wakes it, so its sink is notified while the store reports a change, before the write
 * is answered.
 */
export class PushedWatch {
	readonly #reader: WatchReader;
	readonly #sink: NoticeSink;
	readonly #signal: AbortSignal | undefined;
	readonly #onAbort = (): void => this.stop();
	#isReading = false;
	#isStopped = false;

	/**
	 * `open` opens the reader; the function it receives must be called when there may be something to read. An
	 * abort of `signal` stops the watch.
	 */
	constructor(open: (wake: () => void) => WatchReader, sink: NoticeSink, signal?: AbortSignal) {
		this.#sink = sink;
		this.#signal = signal;
		this.#reader = open(() => this.#readAll());
		signal?.addEventListener('abort', this.#onAbort);
		if (signal?.aborted) this.stop();
		else this.#readAll();
	}

	/** Stops the watch; the sink receives nothing more. */
	stop(): void {
		this.#isStopped = true;
		this.#signal?.removeEventListener('abort', this.#onAbort);
		this.#reader.stop();
	}

	#readAll(): void {
		if (this.#isReading) return;
		this.#isReading = true;
		try {
			while (!this.#isStopped && this.#readStep()) {
				// Steps are short for the sake of other connections; a caller in this process takes them all.
			}
		} catch (error) {
			// A sink that throws ends its watch and no other.
			this.#end(error);
		} finally {
			this.#isReading = false;
		}
	}

	/** Returns whether there may be more to read now. */
	#readStep(): boolean {
		const step = this.#reader.step();
		if (step.type === 'waiting') return false;
		if (step.type === 'notices') {
			if (step.notices.length > 0) this.#sink.notices(step.notices);
			return true;
		}
		this.#end(step.error);
		return false;
	}

	#end(error: unknown): void {
		if (this.#isStopped) return;
		this.stop();
		this.#sink.ended(error);
	}
}
