import { FifoQueue } from '../../base/collections/fifo-queue.ts';
import type { DuplexMessage } from '../contract/duplex.ts';

/**
 * The messages that wait for one end of a session: a queue with a window. It applies the rules of the contract
 * in api/contract/duplex.ts to one direction.
 */
export class Inbox {
	readonly #windowBytes: number;
	readonly #changed: (hasRoom: boolean) => void;
	readonly #messages = new FifoQueue<DuplexMessage>();
	/** The channels on which the peer sends nothing more. */
	readonly #ended = new Set<number>();
	#bytes = 0;
	#isFinished = false;
	#reader: ((message: DuplexMessage | undefined) => void) | undefined;
	/** The writers that wait for room; the contract allows one, and a second does no harm. */
	#writers: ((accepted: boolean) => void)[] = [];

	/**
	 * `changed` is called with false when the window is full and with true when it has room again: for
	 * connections, which cannot wait for {@link put}.
	 */
	constructor(windowBytes: number, changed: (hasRoom: boolean) => void = () => undefined) {
		this.#windowBytes = windowBytes;
		this.#changed = changed;
	}

	/** Adds a message. Resolves to true when there is room for the next, and to false if the session is closed. */
	put(message: DuplexMessage): Promise<boolean> {
		if (this.#isFinished) return Promise.resolve(false);
		if (this.#ended.has(message.channel)) return Promise.resolve(true);
		if (message.type === 'end') this.#ended.add(message.channel);
		const reader = this.#reader;
		if (reader) {
			this.#reader = undefined;
			reader(message);
			return Promise.resolve(true);
		}
		const hadRoom = this.#hasRoom();
		this.#messages.push(message);
		this.#bytes += sizeOf(message);
		if (this.#hasRoom()) return Promise.resolve(true);
		if (hadRoom) this.#changed(false);
		return new Promise((resolve) => void this.#writers.push(resolve));
	}

	/** The next message; undefined once the inbox is finished and empty. One caller at a time. */
	take(): Promise<DuplexMessage | undefined> {
		const message = this.#messages.shift();
		if (message) {
			const hadRoom = this.#hasRoom();
			this.#bytes -= sizeOf(message);
			if (!hadRoom && this.#hasRoom()) this.#release(true);
			return Promise.resolve(message);
		}
		if (this.#isFinished) return Promise.resolve(undefined);
		return new Promise((resolve) => {
			this.#reader = resolve;
		});
	}

	/** No more messages come. The ones that wait can still be taken. */
	finish(): void {
		if (this.#isFinished) return;
		this.#isFinished = true;
		this.#reader?.(undefined);
		this.#reader = undefined;
		this.#release(false);
	}

	/** The same, and drops the messages that wait. */
	discard(): void {
		this.finish();
		while (this.#messages.shift());
		this.#bytes = 0;
	}

	#hasRoom(): boolean {
		return this.#bytes < this.#windowBytes;
	}

	#release(accepted: boolean): void {
		const writers = this.#writers;
		this.#writers = [];
		for (const resolve of writers) resolve(accepted);
		this.#changed(true);
	}
}

/** Each message counts at least as much as it occupies in the queue, so that empty ones are limited as well. */
const LEAST_BYTES = 64;

function sizeOf(message: DuplexMessage): number {
	return LEAST_BYTES + (message.type === 'data' ? message.bytes.length : 0);
}
