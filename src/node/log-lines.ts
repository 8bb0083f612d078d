/**
 * Reads a container's log in CRI format: `<time> <stdout|stderr> <F|P> <text>` a line, where P marks a
 * part whose rest follows on the next line of the same stream.
 */

/** One line (or part of one) as it stands in the log. */
export interface LogLine {
	/** RFC 3339 with nanoseconds. */
	readonly time: string;
	readonly stream: string;
	readonly partial: boolean;
	/** The text, as bytes: what a container prints need not be UTF-8. */
	readonly text: Uint8Array;
}

const NEWLINE = 10;
const SPACE = 32;

/** Cuts what is read, piece by piece, into lines. A last line without an end waits for the next piece. */
export class LogLines {
	#rest: Buffer = Buffer.alloc(0);

	/** Drops the beginning of a line whose rest is lost. */
	reset(): void {
		this.#rest = Buffer.alloc(0);
	}

	/** The lines that are whole with this piece. */
	push(piece: Uint8Array): readonly LogLine[] {
		const bytes = this.#rest.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#rest, piece]);
		const lines: LogLine[] = [];
		let start = 0;
		for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
			const line = parseLine(bytes.subarray(start, end));
			if (line) lines.push(line);
			start = end + 1;
		}
		this.#rest = bytes.subarray(start);
		return lines;
	}
}

function parseLine(bytes: Buffer): LogLine | undefined {
	const first = bytes.indexOf(SPACE);
	const second = bytes.indexOf(SPACE, first + 1);
	const third = bytes.indexOf(SPACE, second + 1);
	if (first < 0 || second < 0 || third < 0) return undefined;
	return {
		time: bytes.toString('latin1', 0, first),
		stream: bytes.toString('latin1', first + 1, second),
		partial: bytes.toString('latin1', second + 1, third) === 'P',
		text: bytes.subarray(third + 1),
	};
}
