/** The standard streams of the process as bytes, and its terminal, for commands that pass them through. */
export interface RawStreams {
	/** Whether standard input is a terminal. */
	readonly isTerminal: boolean;
	/** The bytes of standard input as they arrive, until its end or until `signal` aborts. Never rejects. */
	input(signal: AbortSignal): AsyncIterable<Uint8Array>;
	/** Writes bytes to an output; resolves when it has room for more. */
	write(output: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>;
	/** The size of the terminal of standard output, in characters; undefined if it is no terminal. */
	size(): TerminalSize | undefined;
	/** Calls `listener` at each change of the size; returns the function that removes it. */
	onResize(listener: () => void): () => void;
	/**
	 * Passes all keys on as bytes, Ctrl-C too, until the returned function is called. The process restores the terminal at
	 * its end in every case but SIGKILL.
	 */
	setRaw(): () => void;
}

/** The size of a terminal in characters. */
export interface TerminalSize {
	readonly width: number;
	readonly height: number;
}
