/**
 * Turns the engine's log of a container, requested with times, into entries of a CRI log. An entry of the engine's log is an
 * entry here, with the same time, so that the file itself tells where to continue after a restart (written-entries.ts).
 */
import { LINE_LIMIT_BYTES, logEntry } from '../../cri-log-writer.ts';
import { type OutputDecoder, type OutputPiece, outputDecoder } from '../engine/output-frames.ts';

/** An entry for the log, complete with its line end. */
export interface EngineLogEntry {
	readonly stream: 'stdout' | 'stderr';
	/** RFC 3339 in UTC with nine digits, as in the file. */
	readonly time: string;
	readonly bytes: Uint8Array;
	/** 1 if a line ends in it, else 0. */
	readonly lines: 0 | 1;
}

const NEWLINE = 10;
const SPACE = 32;

/** Reads a log from chunks of its stream. */
export class EngineLogReader {
	readonly #decoder: OutputDecoder;
	/** With a terminal, the bytes of an unfinished line; without one, frames are complete. */
	#rest: Buffer = Buffer.alloc(0);
	readonly #tty: boolean;

	constructor(how: { readonly tty: boolean }) {
		this.#tty = how.tty;
		this.#decoder = outputDecoder(how);
	}

	/** The entries that `chunk` completes. */
	push(chunk: Buffer): readonly EngineLogEntry[] {
		const entries = this.#decoder
			.push(chunk)
			.flatMap((piece) => (this.#tty ? this.#linesOf(piece) : [piece]));
		return entries.flatMap(piecesOf);
	}

	/** The unfinished line at the end of the stream. */
	end(): readonly EngineLogEntry[] {
		const bytes = this.#rest;
		this.#rest = Buffer.alloc(0);
		return bytes.length > 0 ? piecesOf({ stream: 'stdout', bytes }) : [];
	}

	#linesOf({ stream, bytes }: OutputPiece): readonly OutputPiece[] {
		let rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
		const lines: OutputPiece[] = [];
		for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
			lines.push({ stream, bytes: rest.subarray(0, end + 1) });
			rest = rest.subarray(end + 1);
		}
		this.#rest = rest;
		return lines;
	}
}

/** The entries of one of the engine: `<time> <text>`. Longer texts than the limit of the CRI's log are split. */
function piecesOf({ stream, bytes }: OutputPiece): readonly EngineLogEntry[] {
	const space = bytes.indexOf(SPACE);
	const time = nineDigits(bytes.toString('latin1', 0, Math.max(space, 0)));
	if (time === undefined) return [];
	const hasEnd = bytes.at(-1) === NEWLINE;
	const text = bytes.subarray(space + 1, hasEnd ? -1 : undefined);
	const pieces: EngineLogEntry[] = [];
	let from = 0;
	for (; text.length - from > LINE_LIMIT_BYTES; from += LINE_LIMIT_BYTES) {
		const part = text.subarray(from, from + LINE_LIMIT_BYTES);
		pieces.push({ stream, time, lines: 0, bytes: logEntry({ stream, time, tag: 'P' }, part) });
	}
	const tag = hasEnd ? 'F' : 'P';
	const last = logEntry({ stream, time, tag }, text.subarray(from));
	return [...pieces, { stream, time, lines: hasEnd ? 1 : 0, bytes: last }];
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** The time in UTC with nine digits; Podman gives whole seconds. Undefined if it is no time. */
function nineDigits(text: string): string | undefined {
	const match = TIME.exec(text);
	if (!match) return undefined;
	const [, digits = '', zone] = match;
	const seconds = zone === 'Z' ? text.slice(0, SECONDS_LENGTH) : inUtc(text);
	return `${seconds}.${digits.padEnd(9, '0')}Z`;
}

/** The length of `2026-01-31T08:00:00`. */
const SECONDS_LENGTH = 19;

function inUtc(text: string): string {
	return new Date(Date.parse(text)).toISOString().slice(0, SECONDS_LENGTH);
}
