import { type Output, type OutputStream, outputOver } from './output.ts';
import { StatusLine } from './status-line.ts';

/** The two outputs of a command, and the status line that they share where they lead to a terminal. */
export interface Outputs {
	readonly stdout: Output;
	readonly stderr: Output;
	/** Sets the line at the bottom of the terminal that `stderr` leads to; empty takes it away. See {@link StatusLine}. */
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
