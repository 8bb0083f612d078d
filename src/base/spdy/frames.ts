/**
 * The frames of SPDY/3.1 (the protocol that HTTP/2 was made from), as far as streams of bytes need them. Each frame has
 * a head of 8 bytes: a stream or a type, flags, and the length of what follows.
 */

import { MAX_HEADER_BYTES, SpdyError } from './header-block.ts';

/** A frame. `isLast` says that its sender sends nothing more on the stream. */
export type SpdyFrame =
	/** SYN_STREAM: opens a stream. `block` is the compressed header block, here and below. */
	| { readonly type: 'open'; readonly streamId: number; readonly isLast: boolean; readonly block: Uint8Array }
	/** SYN_REPLY: accepts a stream. */
	| {
			readonly type: 'reply';
			readonly streamId: number;
			readonly isLast: boolean;
			readonly block: Uint8Array;
	  }
	/** HEADERS: further headers of a stream. */
	| {
			readonly type: 'headers';
			readonly streamId: number;
			readonly isLast: boolean;
			readonly block: Uint8Array;
	  }
	| { readonly type: 'data'; readonly streamId: number; readonly isLast: boolean; readonly bytes: Uint8Array }
	/** RST_STREAM: aborts a stream. */
	| { readonly type: 'reset'; readonly streamId: number; readonly status: number }
	| { readonly type: 'ping'; readonly id: number }
	/** GOAWAY: the sender accepts no further streams. */
	| { readonly type: 'goAway'; readonly lastStreamId: number; readonly status: number }
	/** SETTINGS, WINDOW_UPDATE, CREDENTIAL and unknown types, which receivers skip. */
	| { readonly type: 'skipped' };

/** The status codes of RST_STREAM. */
export const RESET = { protocolError: 1, refusedStream: 3, cancel: 5, internalError: 6 } as const;

const TYPES = { open: 1, reply: 2, reset: 3, ping: 6, goAway: 7, headers: 8 } as const;

const HEAD_BYTES = 8;
const IS_CONTROL = 0x80;
const VERSION = 3;
const FIN = 1;

/** Maximum length of a frame: it has 24 bits. */
const MAX_FRAME_BYTES = 0xffffff;

/** Maximum length of a control frame that this end reads. */
const MAX_CONTROL_BYTES = MAX_HEADER_BYTES + 64;

/** A data frame of which `left` bytes have not arrived. */
interface OpenData {
	readonly streamId: number;
	readonly isLast: boolean;
	left: number;
}

/**
 * Splits received bytes into frames. It stores at most one control frame; the bytes of a data frame are passed on as
 * they arrive, in several frames of which the last one may have `isLast`.
 */
export class FrameReader {
	readonly #head = Buffer.alloc(HEAD_BYTES);
	#headBytes = 0;
	/** The content of the current control frame, as far as it has arrived. */
	#control: { readonly bytes: Buffer; filled: number } | undefined;
	/** The rest of the current data frame. */
	#data: OpenData | undefined;

	/** The frames, and parts of data frames, that end in `bytes`. Throws a SpdyError. */
	*read(bytes: Uint8Array): Generator<SpdyFrame> {
		let rest = bytes;
		while (rest.length > 0) {
			if (this.#data) {
				const piece = rest.subarray(0, this.#data.left);
				rest = rest.subarray(piece.length);
				yield this.#dataFrame(this.#data, piece);
			} else if (this.#control) {
				const { bytes: content, filled } = this.#control;
				content.set(rest.subarray(0, content.length - filled), filled);
				this.#control.filled = Math.min(content.length, filled + rest.length);
				rest = rest.subarray(this.#control.filled - filled);
				if (this.#control.filled === content.length) yield this.#controlFrame(content);
			} else {
				const piece = rest.subarray(0, HEAD_BYTES - this.#headBytes);
				this.#head.set(piece, this.#headBytes);
				this.#headBytes += piece.length;
				rest = rest.subarray(piece.length);
				const frame = this.#headBytes === HEAD_BYTES ? this.#begin() : undefined;
				if (frame) yield frame;
			}
		}
	}

	/** Reads the head; returns the frame if nothing follows. */
	#begin(): SpdyFrame | undefined {
		this.#headBytes = 0;
		const head = this.#head;
		const length = head.readUIntBE(5, 3);
		if (!((head[0] ?? 0) & IS_CONTROL)) {
			const streamId = head.readUInt32BE(0);
			this.#data = { streamId, isLast: hasFlag(head, FIN), left: length };
			return length === 0 ? this.#dataFrame(this.#data, new Uint8Array()) : undefined;
		}
		if ((head.readUInt16BE(0) & 0x7fff) !== VERSION) throw new SpdyError('the version of SPDY must be 3');
		if (length > MAX_CONTROL_BYTES) throw new SpdyError('a control frame is too long');
		if (length === 0) return this.#controlFrame(Buffer.alloc(0));
		this.#control = { bytes: Buffer.alloc(length), filled: 0 };
		return undefined;
	}

	#dataFrame(data: OpenData, bytes: Uint8Array): SpdyFrame {
		data.left -= bytes.length;
		const isOver = data.left === 0;
		if (isOver) this.#data = undefined;
		return { type: 'data', streamId: data.streamId, isLast: isOver && data.isLast, bytes };
	}

	#controlFrame(content: Buffer): SpdyFrame {
		this.#control = undefined;
		const type = this.#head.readUInt16BE(2);
		const isLast = hasFlag(this.#head, FIN);
		switch (type) {
			case TYPES.open:
				return { type: 'open', streamId: idAt(content, 0), isLast, block: content.subarray(10) };
			case TYPES.reply:
				return { type: 'reply', streamId: idAt(content, 0), isLast, block: content.subarray(4) };
			case TYPES.headers:
				return { type: 'headers', streamId: idAt(content, 0), isLast, block: content.subarray(4) };
			case TYPES.reset:
				return { type: 'reset', streamId: idAt(content, 0), status: numberAt(content, 4) };
			case TYPES.ping:
				return { type: 'ping', id: numberAt(content, 0) };
			case TYPES.goAway:
				return { type: 'goAway', lastStreamId: idAt(content, 0), status: numberAt(content, 4) };
			default:
				return { type: 'skipped' };
		}
	}
}

/** The bytes of a frame. The bytes of a data frame that is longer than the protocol allows become several frames. */
export function spdyBytesOf(frame: Exclude<SpdyFrame, { readonly type: 'skipped' }>): Uint8Array {
	switch (frame.type) {
		case 'data':
			return dataBytes(frame);
		case 'open': {
			// The stream is not associated with another one, and has the highest priority.
			const rest = Buffer.concat([numbers(frame.streamId, 0), Buffer.alloc(2), frame.block]);
			return control(TYPES.open, rest, frame.isLast);
		}
		case 'reply':
		case 'headers':
			return control(TYPES[frame.type], Buffer.concat([numbers(frame.streamId), frame.block]), frame.isLast);
		case 'reset':
			return control(TYPES.reset, numbers(frame.streamId, frame.status));
		case 'ping':
			return control(TYPES.ping, numbers(frame.id));
		case 'goAway':
			return control(TYPES.goAway, numbers(frame.lastStreamId, frame.status));
	}
}

function dataBytes({ streamId, isLast, bytes }: Extract<SpdyFrame, { readonly type: 'data' }>): Uint8Array {
	const pieces: Uint8Array[] = [];
	let at = 0;
	do {
		const piece = bytes.subarray(at, at + MAX_FRAME_BYTES);
		at += piece.length;
		const head = Buffer.alloc(HEAD_BYTES);
		head.writeUInt32BE(streamId, 0);
		head.writeUInt32BE(piece.length, 4);
		if (isLast && at === bytes.length) head[4] = FIN;
		pieces.push(head, piece);
	} while (at < bytes.length);
	return Buffer.concat(pieces);
}

function control(type: number, content: Uint8Array, isLast = false): Uint8Array {
	const head = Buffer.alloc(HEAD_BYTES);
	head.writeUInt16BE(0x8000 | VERSION, 0);
	head.writeUInt16BE(type, 2);
	head.writeUInt32BE(content.length, 4);
	if (isLast) head[4] = FIN;
	return Buffer.concat([head, content]);
}

function numbers(...values: readonly number[]): Buffer {
	const bytes = Buffer.alloc(4 * values.length);
	for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
	return bytes;
}

function hasFlag(head: Buffer, flag: number): boolean {
	return ((head[4] ?? 0) & flag) !== 0;
}

function numberAt(content: Buffer, at: number): number {
	if (content.length < at + 4) throw new SpdyError('a control frame is too short');
	return content.readUInt32BE(at);
}

function idAt(content: Buffer, at: number): number {
	return numberAt(content, at) & 0x7fffffff;
}
