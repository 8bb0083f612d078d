import { type Output, type OutputStream, outputOver } from './output.ts';
import { StatusLine } from './status-line.ts';

/** The two outputs of a command, and the status line that they share if they are connected to a terminal. */
export interface Outputs {
	readonly stdout: Output;
	readonly stderr: Output;
	/** Sets the status line on the terminal of `stderr`; the empty text removes it. See {@link StatusLine}. */
	setStatus(text: string): void;
}

/** The outputs over the standard streams. */
export function outputsOver(streams: {
	readonly stdout: OutputStream;
	readonly stderr: OutputStream;
}): Outputs {
	const status = new StatusLine(streams.stderr);
	return {
		stdout: outputOver(status.above(streams.stdout)),
		stderr: outputOver(status.above(streams.stderr)),
		setStatus: (text) => status.set(text),
	};
}
