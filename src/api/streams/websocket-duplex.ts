import { type Duplex, type DuplexClose, type DuplexMessage, ENDED } from '../contract/duplex.ts';
import { type ChannelProtocol, frameOf, messageOfFrame } from './channel-frames.ts';
import { Inbox } from './inbox.ts';

/** The part of an open WebSocket that a {@link WebSocketDuplex} uses; those of the package ws have it. */
export interface ChannelSocket {
	/** Number of bytes that wait to be written to the connection. */
	readonly bufferedAmount: number;
	send(frame: Uint8Array | string, written: (error?: Error | null) => void): void;
	/** Stops reading from the connection, so that the peer's writes wait; some frames may still arrive. */
	pause(): void;
	resume(): void;
	close(code: number, reason: string): void;
	on(event: 'message', listener: (data: unknown) => void): unknown;
	on(event: 'close', listener: (code: number, reason: Uint8Array) => void): unknown;
	on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Options of a {@link WebSocketDuplex}. */
export interface WebSocketDuplexOptions {
	readonly protocol: ChannelProtocol;
	/**
	 * Whether this end sends `end` messages. Servers don't: client-go prints an error for a frame of channel 255.
	 */
	readonly sendsEnds: boolean;
	/**
	 * Called with true when the peer reads so slowly that {@link Duplex.send} waits, and with false when it has
	 * read what waited or is gone.
	 */
	readonly blocked?: (isBlocked: boolean) => void;
}

/** How many bytes may wait to be received or to be written before the writer waits. */
export const WINDOW_BYTES = 64 * 1024;

/** The codes of RFC 6455, section 7.4.1. */
const NORMAL_CLOSURE = 1000;
const NO_STATUS = 1005;
const INTERNAL_ERROR = 1011;

/** Maximum length of a close reason: it shares 125 bytes with the code. */
const MAX_REASON_BYTES = 123;

/**
 * One end of a session over a WebSocket, in the sub-protocols of channel-frames.ts. It keeps the contract in
 * api/contract/duplex.ts, with the limit of version 4, in which an `end` message has no frame and is not sent. It
 * owns the socket. The owner of the connection closes it if the peer does not answer a close.
 */
export class WebSocketDuplex implements Duplex {
	readonly #socket: ChannelSocket;
	readonly #options: WebSocketDuplexOptions;
	readonly #inbox: Inbox;
	readonly #closed = Promise.withResolvers<DuplexClose>();
	/** The channels that this end has ended. */
	readonly #ended = new Set<number>();
	#isClosed = false;

	constructor(socket: ChannelSocket, options: WebSocketDuplexOptions) {
		this.#socket = socket;
		this.#options = options;
		this.#inbox = new Inbox(WINDOW_BYTES, (hasRoom) => (hasRoom ? socket.resume() : socket.pause()));
		socket.on('message', (data) => this.#receiveFrame(data));
		socket.on('close', (code, reason) => this.#ends(closeOf(code, reason)));
		// The event `close` follows, with a code.
		socket.on('error', () => undefined);
	}

	get closed(): Promise<DuplexClose> {
		return this.#closed.promise;
	}

	receive(): Promise<DuplexMessage | undefined> {
		return this.#inbox.take();
	}

	async send(message: DuplexMessage): Promise<boolean> {
		if (this.#isClosed) return false;
		if (this.#ended.has(message.channel)) return true;
		if (message.type === 'end') this.#ended.add(message.channel);
		if (message.type === 'end' && !this.#options.sendsEnds) return true;
		const frame = frameOf(message, this.#options.protocol);
		if (!frame) return true;
		const written = new Promise<boolean>((resolve) => {
			this.#socket.send(frame, (error) => resolve(!error));
		});
		if (this.#socket.bufferedAmount < WINDOW_BYTES) return true;
		this.#options.blocked?.(true);
		const isOpen = await written;
		this.#options.blocked?.(false);
		return isOpen && !this.#isClosed;
	}

	close(reason: DuplexClose = ENDED): void {
		this.#inbox.discard();
		if (this.#isClosed) return;
		if (reason.type === 'ended') this.#socket.close(NORMAL_CLOSURE, '');
		else this.#socket.close(INTERNAL_ERROR, cut(reason.message));
		this.#ends(reason);
	}

	#receiveFrame(data: unknown): void {
		if (!(data instanceof Uint8Array)) return;
		const message = messageOfFrame(data, this.#options.protocol);
		// The window pauses the socket, so nothing has to wait for the result.
		if (message) void this.#inbox.put(message);
	}

	#ends(reason: DuplexClose): void {
		this.#isClosed = true;
		this.#inbox.finish();
		this.#closed.resolve(reason);
	}
}

function closeOf(code: number, reason: Uint8Array): DuplexClose {
	if (code === NORMAL_CLOSURE || code === NO_STATUS) return ENDED;
	const text = new TextDecoder().decode(reason);
	return { type: 'failed', message: text || `the connection was closed with code ${code}` };
}

/** The beginning of a text that fits into a close frame. */
function cut(text: string): string {
	const encoder = new TextEncoder();
	let end = text.length;
	while (encoder.encode(text.slice(0, end)).length > MAX_REASON_BYTES) end -= 1;
	return text.slice(0, end);
}
