import type { CliContext } from '../context.ts';

/** Colours that can be told apart on dark and light grounds; each source takes the next one. */
const COLOURS = [36, 33, 32, 35, 34, 31];

type ScreenContext = Pick<CliContext, 'stdout' | 'stderr' | 'setStatus' | 'colour'>;

/**
 * What `run` shows: lines of logs on standard output, news on standard error, and on a terminal a line
 * at the bottom that always says how things stand.
 */
export class Screen {
	readonly #context: ScreenContext;
	readonly #colours = new Map<string, number>();

	constructor(context: ScreenContext) {
		this.#context = context;
	}

	/**
	 * Shows lines of a container's log as they are, under the name of its source; without a name, without a
	 * prefix. Resolves once the reader of standard output has taken enough for more.
	 */
	async log(source: string | undefined, lines: readonly string[]): Promise<void> {
		if (lines.length === 0) return;
		const prefix = source === undefined ? '' : `${this.#coloured(source)} `;
		this.#context.stdout.write(lines.map((line) => `${prefix}${line}\n`).join(''));
		await this.#context.stdout.ready();
	}

	/** Tells a piece of news, of one line or several. */
	say(text: string): void {
		this.#context.stderr.print(`${text}\n`);
	}

	/** Whether {@link status} has any effect: only on a terminal. */
	get hasStatus(): boolean {
		return this.#context.stderr.columns !== undefined;
	}

	/** Sets the line at the bottom, cut to the terminal's width; empty takes it away. */
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
