import type { OutputStream } from './output.ts';
import { escapeControls } from './terminal-text.ts';

/** Clears the line the cursor is on. */
const CLEAR_LINE = '\r\x1b[K';

/**
 * A status line at the bottom of a terminal. Every stream of the process that may be connected to the same
 * terminal must be written through {@link StatusLine.above}, which clears the status line before each write
 * and draws it again afterwards. Otherwise output and status would mix in one line.
 */
export class StatusLine {
	readonly #terminal: OutputStream;
	#text = '';
	#isShown = false;

	/** The status line is drawn on `terminal`, and never if that is a file or a pipe. */
	constructor(terminal: OutputStream) {
		this.#terminal = terminal;
	}

	/**
	 * Sets the text, cut to the terminal's width; the empty text removes the line. An unchanged text is drawn
	 * again, since another process may have written to the terminal in the meantime.
	 */
	set(text: string): void {
		const { columns } = this.#terminal;
		if (columns === undefined) return;
		this.#hide();
		this.#text = escapeControls(text).slice(0, Math.max(columns - 1, 0));
		this.#show();
	}

	/** A stream that writes to `stream` above the status line. */
	above(stream: OutputStream): OutputStream {
		return {
			write: (text) => {
				this.#hide();
				stream.write(text);
				// After an incomplete line the cursor is not at column 0: draw the status after the rest of the line.
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
