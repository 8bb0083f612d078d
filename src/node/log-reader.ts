import { type LogLine, LogLines } from './log-lines.ts';
import { type LogPart, LogParts } from './log-parts.ts';

const PIECE_BYTES = 64 * 1024;

/** After so many pieces the reader looks whether the log was rotated meanwhile. */
const PIECES_BETWEEN_LOOKS = 8;

/**
 * Reads the log at a path from its beginning, across rotations. Another call goes on where the last one
 * stopped. Each line is read once; where a part of the log was removed before it could be opened, a line
 * in its place says how much is missing.
 */
export class LogReader {
	readonly #parts: LogParts;
	readonly #lines = new LogLines();
	/** Which byte of the log comes next; undefined where that is not known. */
	#next: number | undefined;
	#last: LogLine | undefined;

	constructor(path: string) {
		this.#parts = new LogParts(path);
	}

	/** All whole lines that are there by now and were not read before. */
	async *read(): AsyncGenerator<readonly LogLine[]> {
		await this.#parts.refresh();
		for (let part = this.#parts.first; part; part = this.#parts.first) {
			if (part.position === 0) yield* this.#gapBefore(part);
			for await (const piece of this.#piecesOf(part)) {
				const lines = this.#lines.push(piece);
				if (lines.length === 0) continue;
				this.#last = lines.at(-1);
				yield lines;
			}
			if (!part.isComplete) return;
			this.#next = part.startsAt === undefined ? undefined : part.startsAt + part.position;
			if (this.#parts.first === part) await this.#parts.drop();
		}
	}

	/** Closes the files. */
	close(): Promise<void> {
		return this.#parts.close();
	}

	/** What is in a part, up to its present end. It may be given up on the way, if too many follow it. */
	async *#piecesOf(part: LogPart): AsyncGenerator<Buffer> {
		for (let pieces = 1; this.#parts.first === part; ) {
			// Asked before the read: a part that was complete by then is at its end where nothing is read.
			const { file, position, isComplete } = part;
			const { bytesRead, buffer } = await file.read(
				Buffer.allocUnsafe(PIECE_BYTES),
				0,
				PIECE_BYTES,
				position,
			);
			part.position += bytesRead;
			if (bytesRead > 0) {
				yield buffer.subarray(0, bytesRead);
				if (pieces++ % PIECES_BETWEEN_LOOKS === 0) await this.#parts.refresh();
			} else {
				if (isComplete) return;
				await this.#parts.refresh();
				if (!part.isComplete) return;
			}
		}
	}

	*#gapBefore({ startsAt }: LogPart): Generator<readonly LogLine[]> {
		if (this.#next === undefined || startsAt === undefined || startsAt <= this.#next) return;
		this.#lines.reset();
		const missing = startsAt - this.#next;
		this.#next = startsAt;
		const text = `[stint: ${missing} bytes of this log are missing here: it was rotated faster than it was read]`;
		const { time = '', stream = 'stdout' } = this.#last ?? {};
		yield [{ time, stream, partial: false, text: Buffer.from(text) }];
	}
}
