import type { CliContext } from '../context.ts';

/** Colours that can be told apart on dark and light grounds; each Pod takes the next one. */
const COLOURS = [36, 33, 32, 35, 34, 31];

/** Clears the line the cursor is on. */
const CLEAR_LINE = '\r\x1b[K';

/**
 * What `run` shows: lines of logs on standard output, news of the Jobs on standard error, and on a
 * terminal a line at the bottom that always says how things stand.
 */
export class Screen {
	readonly #context: CliContext;
	readonly #colours = new Map<string, number>();
	#status = '';

	constructor(context: CliContext) {
		this.#context = context;
	}

	/** A line of a container's log, under the name of its source; no name, no prefix. */
	log(source: string | undefined, line: string): void {
		this.#hide();
		const prefix = source === undefined ? '' : `${this.#coloured(source)} `;
		this.#context.stdout.write(`${prefix}${line}\n`);
		this.#show();
	}

	/** A line of news. */
	say(line: string): void {
		this.#hide();
		this.#context.stderr.write(`${line}\n`);
		this.#show();
	}

	/** Sets the line at the bottom; empty takes it away. Nothing happens where there is no terminal. */
	status(text: string): void {
		if (this.#context.stderr.columns === undefined || text === this.#status) return;
		this.#hide();
		this.#status = text.slice(0, this.#context.stderr.columns - 1);
		this.#show();
	}

	#hide(): void {
		if (this.#status !== '') this.#context.stderr.write(CLEAR_LINE);
	}

	#show(): void {
		if (this.#status !== '') this.#context.stderr.write(this.#status);
	}

	#coloured(source: string): string {
		const text = `[${source}]`;
		if (!this.#context.colour) return text;
		const colour = this.#colours.get(source) ?? COLOURS[this.#colours.size % COLOURS.length] ?? 0;
		this.#colours.set(source, colour);
		return `\x1b[${colour}m${text}\x1b[0m`;
	}
}
