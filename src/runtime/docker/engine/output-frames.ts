/**
 * Decodes the output of containers as the engine sends it: frames of 8 bytes of head (stream, three zeros, length) and their
 * bytes, or with a terminal the bytes alone.
 */
import { EngineError } from './engine-client.ts';

/** Bytes of one output. */
export interface OutputPiece {
	readonly stream: 'stdout' | 'stderr';
	readonly bytes: Buffer;
}

/** Cuts chunks of a connection into pieces of output. */
export interface OutputDecoder {
	push(chunk: Buffer): readonly OutputPiece[];
}

const HEAD_BYTES = 8;
const STREAMS: readonly (OutputPiece['stream'] | undefined)[] = ['stdout', 'stdout', 'stderr'];
/** Engines send at most 32 KiB, and a line of a log with its time. */
const LONGEST_FRAME_BYTES = 1 << 24;

/** The decoder for a container or command with a terminal, or without one. */
export function outputDecoder({ tty }: { readonly tty: boolean }): OutputDecoder {
	return tty ? { push: (bytes) => [{ stream: 'stdout', bytes }] } : new FrameDecoder();
}

/** Cuts a connection into complete frames. */
class FrameDecoder implements OutputDecoder {
	#rest: Buffer = Buffer.alloc(0);

	/** The pieces that `chunk` completes. Throws an EngineError for what is no frame, and for an error of the engine. */
	push(chunk: Buffer): readonly OutputPiece[] {
		let rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
		const pieces: OutputPiece[] = [];
		while (rest.length >= HEAD_BYTES) {
			const end = HEAD_BYTES + rest.readUInt32BE(4);
			if (end > LONGEST_FRAME_BYTES) throw new EngineError(500, 'the engine sent what is no frame of output');
			if (rest.length < end) break;
			const bytes = rest.subarray(HEAD_BYTES, end);
			const stream = STREAMS[rest.readUInt8()];
			if (!stream) throw new EngineError(500, bytes.toString());
			pieces.push({ stream, bytes });
			rest = rest.subarray(end);
		}
		this.#rest = rest;
		return pieces;
	}
}
