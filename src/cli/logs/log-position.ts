import { linesMissingAt } from '../../api/contract/log-gap.ts';

/** The time before a line of a log that was requested with `timestamps`. */
const TIME = /^\d{4}-\d\d-\d\dT\S+(?= |$)/;

/**
 * The place up to which a log was printed, so that another request continues there: the time of the last line, and
 * the number of lines with that time, since several lines can have the same one.
 *
 * The number of printed lines would not do. The kubelet serves a rotated log only in part, and the part that `tailLines`
 * selects moves.
 */
export class LogPosition {
	#time: string | undefined;
	/** The number of printed lines with the time {@link since}. */
	#printed = 0;
	/** The number of lines with that time that the present request has repeated; undefined once it has repeated all. */
	#repeated: number | undefined;

	/** The time of the last line; undefined if no line was printed. A request for the rest has it as `sinceTime`. */
	get since(): string | undefined {
		return this.#time;
	}

	/** A new request starts, whose first lines may have been printed: see {@link rest}. */
	restart(): void {
		this.#repeated = this.#time === undefined ? undefined : 0;
	}

	/** The lines that were not printed yet, of lines with their times. They count as printed from now on. */
	rest(lines: readonly string[]): readonly string[] {
		const rest = this.#repeated === undefined ? lines : lines.filter((line) => !this.#isRepeated(line));
		this.#advance(rest);
		return rest;
	}

	/** Before the place of the log, a server repeats lines of the same second or millisecond. */
	#isRepeated(line: string): boolean {
		if (this.#repeated === undefined || this.#time === undefined) return false;
		const time = TIME.exec(line)?.[0] ?? '';
		const isPast = time > this.#time || this.#repeated >= this.#printed;
		if (isPast) {
			this.#repeated = undefined;
			return false;
		}
		// A report of missing lines has the time of the line below it, and need not be in the next answer.
		if (time === this.#time && linesMissingAt(line) === 0) this.#repeated += 1;
		return true;
	}

	/** Remembers the last of the printed lines. */
	#advance(lines: readonly string[]): void {
		const time = TIME.exec(lines.at(-1) ?? '')?.[0];
		if (time === undefined) return;
		if (time !== this.#time) this.#printed = 0;
		this.#time = time;
		const other = lines.findLastIndex((line) => !line.startsWith(time));
		for (const line of lines.slice(other + 1)) if (linesMissingAt(line) === 0) this.#printed += 1;
	}
}

/** A line without its time. */
export function withoutTime(line: string): string {
	const [time] = TIME.exec(line) ?? [];
	return time === undefined ? line : line.slice(time.length + 1);
}
