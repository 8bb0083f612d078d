import { FifoQueue } from '../collections/fifo-queue.ts';
import type { SpdyHeaders } from './header-block.ts';

/** The part of a session that its streams use. */
export interface SpdyOwner {
	write(streamId: number, bytes: Uint8Array, isLast: boolean): Promise<boolean>;
	/** Aborts the stream at the peer and forgets it. */
	reset(streamId: number): void;
	/** Both directions of the stream are over. */
	forget(streamId: number): void;
	/** The number of bytes that wait to be read has changed. */
	unread(change: number): void;
}

/** What a piece counts at least, so that empty ones are limited as well. */
const LEAST_BYTES = 64;

/** One stream of a session: bytes in both directions, each of which ends by itself. */
export class SpdyStream {
	readonly id: number;
	readonly headers: SpdyHeaders;
	readonly #owner: SpdyOwner;
	readonly #pieces = new FifoQueue<Uint8Array>();
	readonly #lost = Promise.withResolvers<void>();
	readonly #answered = Promise.withResolvers<void>();
	#unreadBytes = 0;
	#reader: ((piece: Uint8Array | undefined) => void) | undefined;
	#hasPeerEnded = false;
	#hasEnded = false;
	#isLost = false;

	constructor(id: number, headers: SpdyHeaders, owner: SpdyOwner) {
		this.id = id;
		this.headers = headers;
		this.#owner = owner;
	}

	/** Resolves when the stream was aborted by either end, or its session is closed. */
	get lost(): Promise<void> {
		return this.#lost.promise;
	}

	/** Resolves once the peer has replied to a stream that this end has opened, or the stream is lost. */
	get answered(): Promise<void> {
		return this.#answered.promise;
	}

	/** The next bytes; undefined once the peer has sent its last ones or the stream is lost. One caller at a time. */
	read(): Promise<Uint8Array | undefined> {
		const piece = this.#pieces.shift();
		if (piece) {
			this.#count(-sizeOf(piece));
			return Promise.resolve(piece);
		}
		if (this.#hasPeerEnded || this.#isLost) return Promise.resolve(undefined);
		return new Promise((resolve) => {
			this.#reader = resolve;
		});
	}

	/** Sends bytes; resolves to true when there is room for more, and to false if they cannot arrive. */
	write(bytes: Uint8Array): Promise<boolean> {
		if (this.#isLost || this.#hasEnded) return Promise.resolve(false);
		return this.#owner.write(this.id, bytes, false);
	}

	/** Says that this end sends nothing more. Resolves when there is room for more in the connection. */
	async end(): Promise<void> {
		if (this.#isLost || this.#hasEnded) return;
		this.#hasEnded = true;
		const written = this.#owner.write(this.id, new Uint8Array(), true);
		if (this.#hasPeerEnded) this.#owner.forget(this.id);
		await written;
	}

	/** Aborts the stream in both directions. */
	reset(): void {
		if (this.#isLost) return;
		if (!(this.#hasEnded && this.#hasPeerEnded)) this.#owner.reset(this.id);
		this.lose();
	}

	/** Takes bytes of the peer. For the session. */
	take(bytes: Uint8Array, isLast: boolean): void {
		if (this.#isLost || this.#hasPeerEnded) return;
		if (isLast) this.#hasPeerEnded = true;
		if (bytes.length > 0) this.#put(bytes);
		if (!isLast) return;
		this.#tell(undefined);
		if (this.#hasEnded) this.#owner.forget(this.id);
	}

	/** The peer has replied. For the session. */
	answer(): void {
		this.#answered.resolve();
	}

	/** Drops the stream: it was aborted by the peer, or the session is closed. For the session. */
	lose(): void {
		if (this.#isLost) return;
		this.#isLost = true;
		while (this.#pieces.shift());
		this.#count(-this.#unreadBytes);
		this.#tell(undefined);
		this.#lost.resolve();
		this.#answered.resolve();
	}

	#put(bytes: Uint8Array): void {
		if (this.#tell(bytes)) return;
		this.#pieces.push(bytes);
		this.#count(sizeOf(bytes));
	}

	/** Gives the piece to the reader that waits; false if none does. */
	#tell(piece: Uint8Array | undefined): boolean {
		const reader = this.#reader;
		this.#reader = undefined;
		reader?.(piece);
		return reader !== undefined;
	}

	#count(change: number): void {
		this.#unreadBytes += change;
		if (change !== 0) this.#owner.unread(change);
	}
}

function sizeOf(piece: Uint8Array): number {
	return LEAST_BYTES + piece.length;
}
