import type { OutputStream } from './output.ts';
import { escapeControls } from './print/terminal-text.ts';

/** Clears the line the cursor is on. */
const CLEAR_LINE = '\r\x1b[K';

/**
 * A line at the bottom of a terminal that says how things stand. Every stream of the process that may lead to the
 * same terminal is written to by {@link StatusLine.above}, which takes the line away before each write and puts it
 * back after it, so that neither is ever mixed with the other.
 */
export class StatusLine {
	readonly #terminal: OutputStream;
	#text = '';
	#isShown = false;

	/** Shows the line on `terminal`; it is never shown where that is a file or a pipe. */
	constructor(terminal: OutputStream) {
		this.#terminal = terminal;
	}

	/**
	 * Sets the text, cut to the terminal's width; empty takes the line away. The same text is drawn again: another
	 * process may have written to the terminal since.
	 */
	set(text: string): void {
		const { columns } = this.#terminal;
		if (columns === undefined) return;
		this.#hide();
		this.#text = escapeControls(text).slice(0, Math.max(columns - 1, 0));
		this.#show();
	}

	/** The stream, with everything that is written to it above the line. */
	above(stream: OutputStream): OutputStream {
		return {
			write: (text) => {
				this.#hide();
				stream.write(text);
				// Below a piece of a line there is no room: the line comes back after the rest of the piece.
				if (text.endsWith('\n')) this.#show();
			},
			ready: () => stream.ready(),
			get columns() {
				return stream.columns;
			},
		};
	}

	#hide(): void {
		if (this.#isShown) this.#terminal.write(CLEAR_LINE);
		this.#isShown = false;
	}

	#show(): void {
		if (this.#text === '') return;
		this.#terminal.write(this.#text);
		this.#isShown = true;
	}
}
