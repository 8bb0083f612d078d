import { escapeControls } from './print/terminal-text.ts';

/** A stream that a command writes to. */
export interface OutputStream {
	/** Writes text as it is. The stream keeps what its reader has not taken yet. */
	write(text: string): void;
	/** The width of a terminal; undefined where the stream is a file or a pipe. */
	readonly columns: number | undefined;
	/**
	 * Resolves once the reader has taken enough for more to be written. A loop that may write without end
	 * waits for it, so that a slow reader slows the command instead of filling its memory.
	 */
	ready(): Promise<void>;
}

/** Where a command prints to. */
export interface Output extends OutputStream {
	/**
	 * Writes text for people: control characters that came with it from an object or a file are escaped.
	 * Logs, JSON, YAML and templates are written as they are, by {@link OutputStream.write}.
	 */
	print(text: string): void;
}

/** The output over a stream. */
export function outputOver(stream: OutputStream): Output {
	return {
		write: (text) => stream.write(text),
		print: (text) => stream.write(escapeControls(text)),
		ready: () => stream.ready(),
		get columns() {
			return stream.columns;
		},
	};
}
