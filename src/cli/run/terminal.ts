import type { CliContext } from '../context.ts';

/** ANSI colours that are readable on dark and light backgrounds; each source gets the next one. */
const COLOURS = [36, 33, 32, 35, 34, 31];

type ScreenContext = Pick<CliContext, 'stdout' | 'stderr' | 'setStatus' | 'colour'>;

/**
 * The output of `run` and `logs -f`: log lines on standard output, messages on standard error, and on a
 * terminal a status line at the bottom.
 */
export class Screen {
	readonly #context: ScreenContext;
	readonly #colours = new Map<string, number>();

	constructor(context: ScreenContext) {
		this.#context = context;
	}

	/**
	 * Prints log lines of a container unchanged, each with the name of its source as prefix if it has one.
	 * Resolves once the buffer of standard output has room.
	 */
	async log(source: string | undefined, lines: readonly string[]): Promise<void> {
		if (lines.length === 0) return;
		const prefix = source === undefined ? '' : `${this.#coloured(source)} `;
		this.#context.stdout.write(lines.map((line) => `${prefix}${line}\n`).join(''));
		await this.#context.stdout.ready();
	}

	/** Prints a message of one or several lines to standard error. */
	report(text: string): void {
		this.#context.stderr.print(`${text}\n`);
	}

	/** Whether {@link status} has any effect: only on a terminal. */
	get hasStatus(): boolean {
		return this.#context.stderr.columns !== undefined;
	}

	/** Sets the status line, cut to the terminal's width; the empty text removes it. */
	status(text: string): void {
		this.#context.setStatus(text);
	}

	#coloured(source: string): string {
		const text = `[${source}]`;
		if (!this.#context.colour) return text;
		const colour = this.#colours.get(source) ?? COLOURS[this.#colours.size % COLOURS.length] ?? 0;
		this.#colours.set(source, colour);
		return `\x1b[${colour}m${text}\x1b[0m`;
	}
}
