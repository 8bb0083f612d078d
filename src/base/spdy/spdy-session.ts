/**
 * Streams of bytes over one connection, by SPDY/3.1: what kubectl before 1.31 and many client libraries use for exec,
 * attach and port-forward. The folder knows nothing of Kubernetes and of connections: the owner of a session passes
 * received bytes to it and gives it a {@link SpdyConnection}.
 *
 * Read in this order: frames.ts, header-block.ts (with dictionary.ts), spdy-stream.ts, spdy-session.ts.
 *
 * 1. A reader that stops stops its peer: if {@link WINDOW_BYTES} of all streams wait to be read, the session stops
 *    reading from the connection. The windows of SPDY itself are not used: moby/spdystream, on which all Go clients are
 *    built, neither sends nor obeys WINDOW_UPDATE, and would never give credit.
 * 2. A writer waits until the connection has room.
 * 3. What a peer can make the session store is bounded: one control frame, the headers and number of its streams, and
 *    the window. It performs a fixed number of frames in a turn of the event loop.
 * 4. A violation of the protocol ends the session, and nothing throws.
 */

import { nextTurn } from '../turn.ts';
import { FrameReader, RESET, type SpdyFrame, spdyBytesOf } from './frames.ts';
import { HeaderDeflater, HeaderInflater, SpdyError, type SpdyHeaders } from './header-block.ts';
import { type SpdyOwner, SpdyStream } from './spdy-stream.ts';

/** The connection under a session. */
export interface SpdyConnection {
	/** Sends bytes in the order of the calls; resolves to true when there is room for more, to false if it is closed. */
	write(bytes: Uint8Array): Promise<boolean>;
	/** Stops reading, so that the peer's writes wait. Bytes that have been read already may still be passed on. */
	pause(): void;
	resume(): void;
	/** Closes the connection after the bytes that were written. */
	end(): void;
}

/** Options of a {@link SpdySession}. */
export interface SpdySessionOptions {
	readonly connection: SpdyConnection;
	/** Whether this end is the one that has been called. It then answers streams, and the client opens them. */
	readonly isServer: boolean;
	/** Called with each stream that the peer opens: answers whether it is accepted. The stream can be used at once. */
	readonly accept?: (stream: SpdyStream) => boolean;
}

/** How many bytes may wait to be read in all streams before the session stops reading from the connection. */
const WINDOW_BYTES = 256 * 1024;

/** Maximum number of open streams: port-forward uses two for each connection. */
const MAX_STREAMS = 1024;

/** How many frames are performed in one turn of the event loop. One with headers takes about 50 µs. */
const FRAMES_PER_TURN = 200;

/** See the header of this file. */
export class SpdySession {
	readonly #options: SpdySessionOptions;
	readonly #frames = new FrameReader();
	readonly #inflater = new HeaderInflater();
	readonly #deflater = new HeaderDeflater();
	readonly #streams = new Map<number, SpdyStream>();
	readonly #closed = Promise.withResolvers<string | undefined>();
	/** What has been received while frames are performed; undefined while none are. */
	#arrived: Uint8Array[] | undefined;
	#performed = 0;
	#lastPeerId = 0;
	/** The ids of a server's pings are even, those of a client's odd. */
	#lastPing: number;
	#nextId: number;
	#unreadBytes = 0;
	#isPaused = false;
	#isClosed = false;

	constructor(options: SpdySessionOptions) {
		this.#options = options;
		this.#nextId = options.isServer ? 2 : 1;
		this.#lastPing = options.isServer ? 0 : -1;
	}

	/** Resolves once the session is closed: to what was wrong, or to undefined if either end has closed it. */
	get closed(): Promise<string | undefined> {
		return this.#closed.promise;
	}

	/** Opens a stream. The caller may write at once. */
	open(headers: SpdyHeaders): SpdyStream {
		const streamId = this.#nextId;
		this.#nextId += 2;
		const stream = new SpdyStream(streamId, headers, this.#owner);
		if (this.#isClosed) stream.lose();
		else this.#streams.set(streamId, stream);
		void this.#send({ type: 'open', streamId, isLast: false, block: this.#deflater.write(headers) });
		return stream;
	}

	/** Whether the session does not read from the connection, because its own end is busy or does not read. */
	get isPaused(): boolean {
		return this.#isPaused;
	}

	/** Asks the peer to answer. */
	ping(): void {
		this.#lastPing += 2;
		void this.#send({ type: 'ping', id: this.#lastPing });
	}

	/** Performs what the peer has sent. */
	receive(bytes: Uint8Array): void {
		if (this.#isClosed) return;
		if (!this.#arrived) return void this.#performAll(bytes);
		this.#arrived.push(bytes);
		this.#flow();
	}

	/** Says good-bye to the peer and closes the connection after what was written. */
	close(): void {
		if (this.#isClosed) return;
		void this.#send({ type: 'goAway', lastStreamId: this.#lastPeerId, status: 0 });
		this.#options.connection.end();
		this.lose();
	}

	/** Closes the session when the connection is lost. `why` says so, if it was not expected. */
	lose(why?: string): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		for (const stream of this.#streams.values()) stream.lose();
		this.#streams.clear();
		this.#closed.resolve(why);
	}

	async #performAll(first: Uint8Array): Promise<void> {
		const arrived = [first];
		this.#arrived = arrived;
		try {
			for (let bytes = arrived.shift(); bytes && !this.#isClosed; bytes = arrived.shift())
				for (const frame of this.#frames.read(bytes)) {
					if (this.#isClosed) break;
					const answer = this.#perform(frame);
					this.#performed += 1;
					if (answer || this.#performed >= FRAMES_PER_TURN) await this.#rest(answer);
				}
		} catch (error) {
			if (!(error instanceof SpdyError)) throw error;
			void this.#send({ type: 'goAway', lastStreamId: this.#lastPeerId, status: RESET.protocolError });
			this.#options.connection.end();
			this.lose(error.message);
		}
		this.#arrived = undefined;
		this.#flow();
	}

	/**
	 * Waits until the answer of a frame is written, so that a peer that asks and does not read is not answered without
	 * bounds, and until the next turn if enough frames were performed. Nothing is read from the connection meanwhile.
	 */
	async #rest(answer: Promise<boolean> | undefined): Promise<void> {
		this.#flow();
		await answer;
		if (this.#performed < FRAMES_PER_TURN) return;
		await nextTurn();
		this.#performed = 0;
	}

	/** Performs a frame. Returns the promise of its answer if it has one. Throws a SpdyError. */
	#perform(frame: SpdyFrame): Promise<boolean> | undefined {
		switch (frame.type) {
			case 'open':
				return this.#opened(frame);
			case 'reply':
			case 'headers':
				// The headers are not needed, but the next block refers to them.
				this.#inflater.read(frame.block);
				if (frame.type === 'reply') this.#streams.get(frame.streamId)?.answer();
				if (frame.isLast) this.#streams.get(frame.streamId)?.take(new Uint8Array(), true);
				return undefined;
			case 'data':
				this.#streams.get(frame.streamId)?.take(frame.bytes, frame.isLast);
				return undefined;
			case 'reset':
				this.#streams.get(frame.streamId)?.lose();
				this.#streams.delete(frame.streamId);
				return undefined;
			case 'ping':
				// Even ids are pings of the server, odd ones of the client; each end returns those of the other.
				return (frame.id % 2 === 1) === this.#options.isServer ? this.#send(frame) : undefined;
			case 'goAway':
			case 'skipped':
				return undefined;
		}
	}

	#opened({
		streamId,
		isLast,
		block,
	}: Extract<SpdyFrame, { readonly type: 'open' }>): Promise<boolean> | undefined {
		const headers = this.#inflater.read(block);
		const isPeers = (streamId % 2 === 1) === this.#options.isServer;
		if (!isPeers || streamId <= this.#lastPeerId)
			throw new SpdyError('a stream has an id that is not the next one');
		this.#lastPeerId = streamId;
		if (this.#streams.size >= MAX_STREAMS) return this.#reset(streamId, RESET.refusedStream);
		const stream = new SpdyStream(streamId, headers, this.#owner);
		this.#streams.set(streamId, stream);
		if (!this.#options.accept?.(stream)) {
			this.#streams.delete(streamId);
			stream.lose();
			return this.#reset(streamId, RESET.cancel);
		}
		const reply = this.#send({
			type: 'reply',
			streamId,
			isLast: false,
			block: this.#deflater.write(new Map()),
		});
		if (isLast) stream.take(new Uint8Array(), true);
		return reply;
	}

	#reset(streamId: number, status: number): Promise<boolean> {
		return this.#send({ type: 'reset', streamId, status });
	}

	#send(frame: Exclude<SpdyFrame, { readonly type: 'skipped' }>): Promise<boolean> {
		return this.#isClosed ? Promise.resolve(false) : this.#options.connection.write(spdyBytesOf(frame));
	}

	/** What the streams need from the session. */
	readonly #owner: SpdyOwner = {
		write: (streamId, bytes, isLast) => this.#send({ type: 'data', streamId, bytes, isLast }),
		reset: (streamId) => {
			this.#streams.delete(streamId);
			void this.#reset(streamId, RESET.cancel);
		},
		forget: (streamId) => void this.#streams.delete(streamId),
		unread: (change) => {
			this.#unreadBytes += change;
			this.#flow();
		},
	};

	/** Reads from the connection unless too much waits to be read or to be performed. */
	#flow(): void {
		const isBusy = this.#performed >= FRAMES_PER_TURN || (this.#arrived?.length ?? 0) > 0;
		const mustPause = this.#unreadBytes >= WINDOW_BYTES || isBusy;
		if (mustPause === this.#isPaused || this.#isClosed) return;
		this.#isPaused = mustPause;
		if (mustPause) this.#options.connection.pause();
		else this.#options.connection.resume();
	}
}
