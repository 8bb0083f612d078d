import { escapeControls } from './terminal-text.ts';

/** A stream that a command writes to. */
export interface OutputStream {
	/** Writes text unchanged. The stream buffers what its reader has not read yet; see {@link ready}. */
	write(text: string): void;
	/** The width of a terminal; undefined where the stream is a file or a pipe. */
	readonly columns: number | undefined;
	/**
	 * Resolves once the buffer has room. A loop that writes without a bound awaits it after each write, so that
	 * a slow reader slows the command down instead of filling its memory.
	 */
	ready(): Promise<void>;
}

/** Where a command prints to. */
export interface Output extends OutputStream {
	/**
	 * Writes text for people and escapes its control characters, which may come from an object or a file.
	 * Commands write logs, JSON, YAML and templates unchanged, with {@link OutputStream.write}.
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
