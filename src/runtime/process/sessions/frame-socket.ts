import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { ChannelSocket } from '../../../api/streams/websocket-duplex.ts';

/** The kinds of frames: a message, or the end of the session. */
const MESSAGE = 0;
const CLOSE = 1;
/** Kind and length of a frame. */
const HEAD_BYTES = 5;
/** The longest frame: both ends are stint, so a longer one means that they do not understand each other. */
const LONGEST_FRAME_BYTES = 1 << 20;
/** The code of a close without a frame: the connection was lost. */
const LOST = 1006;

/**
 * Messages over a Unix socket, with the interface of a WebSocket, so that {@link WebSocketDuplex} can use it: each frame
 * is its kind, its length and its bytes. A close has a code of two bytes and a reason.
 */
export class FrameSocket extends EventEmitter implements ChannelSocket {
	readonly #socket: Socket;
	#rest: Buffer = Buffer.alloc(0);
	#isPaused = false;
	/** True once the connection has ended; frames may still wait in `#rest`. */
	#hasEnded = false;
	#isClosed = false;

	constructor(socket: Socket) {
		super();
		this.#socket = socket;
		socket.on('data', (chunk: Buffer) => this.#read(chunk));
		socket.on('error', (error) => this.emit('error', error));
		socket.on('close', () => {
			this.#hasEnded = true;
			this.#emitFrames();
		});
	}

	get bufferedAmount(): number {
		return this.#socket.writableLength;
	}

	send(frame: Uint8Array, written: (error?: Error | null) => void): void {
		this.#write(MESSAGE, frame, written);
	}

	/** No frame is emitted until `resume`, not even one that has arrived already: its listener may not exist yet. */
	pause(): void {
		this.#isPaused = true;
		this.#socket.pause();
	}

	resume(): void {
		this.#isPaused = false;
		this.#socket.resume();
		this.#emitFrames();
	}

	close(code: number, reason: string): void {
		const head = Buffer.alloc(2);
		head.writeUInt16BE(code);
		this.#write(CLOSE, Buffer.concat([head, Buffer.from(reason)]), () => {});
		this.#socket.end();
	}

	#write(kind: number, bytes: Uint8Array, written: (error?: Error | null) => void): void {
		if (this.#socket.destroyed || this.#socket.writableEnded) {
			written(new Error('the session is closed'));
			return;
		}
		const head = Buffer.alloc(HEAD_BYTES);
		head.writeUInt8(kind);
		head.writeUInt32BE(bytes.length, 1);
		this.#socket.cork();
		this.#socket.write(head);
		this.#socket.write(bytes, written);
		this.#socket.uncork();
	}

	#read(chunk: Buffer): void {
		this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
		this.#emitFrames();
	}

	/** Emits the complete frames, unless a listener pauses in between, and then the loss of the connection. */
	#emitFrames(): void {
		while (!this.#isPaused && this.#rest.length >= HEAD_BYTES) {
			const length = this.#rest.readUInt32BE(1);
			if (length > LONGEST_FRAME_BYTES) {
				this.#rest = Buffer.alloc(0);
				this.#socket.destroy();
				return;
			}
			if (this.#rest.length < HEAD_BYTES + length) break;
			const kind = this.#rest.readUInt8();
			const body = this.#rest.subarray(HEAD_BYTES, HEAD_BYTES + length);
			this.#rest = this.#rest.subarray(HEAD_BYTES + length);
			if (kind === MESSAGE) this.emit('message', body);
			else if (length >= 2) this.#noteClose(body.readUInt16BE(), body.subarray(2));
		}
		if (this.#hasEnded && !this.#isPaused) this.#noteClose(LOST, Buffer.alloc(0));
	}

	#noteClose(code: number, reason: Buffer): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#socket.end();
		this.emit('close', code, reason);
	}
}
