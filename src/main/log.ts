import { ApiError } from '../api/meta/api-error.ts';
import { escapeControls } from '../cli/print/terminal-text.ts';
import { onOwnLine } from './own-line.ts';

/** Where a server writes what it does and what went wrong. Nothing secret may be passed to it. */
export interface Log {
	/** Something that the operator may want to know. */
	info(message: string): void;
	/** Something that is not as it should be, and that the server deals with. */
	warning(message: string): void;
	/** An error in `component`, met while it worked on `about`, that it deals with: it tries again. */
	error(component: string, about: string, error: unknown): void;
	/** A part of the server has failed; the server stops. */
	failure(error: Error): void;
}

/** What a line of the log says. */
export interface LogLine {
	readonly level: 'info' | 'warning' | 'fatal';
	readonly message: string;
	/** Which part of the server says it. */
	readonly component?: string;
	/** What that part worked on. */
	readonly about?: string;
	readonly error?: unknown;
}

/** How much may wait for a reader that does not read; lines that come then are dropped. */
const LONGEST_BACKLOG_BYTES = 1 << 20;

/**
 * Opens a log on standard error: lines for people where that is a terminal, JSON lines anywhere else.
 * `now` is the wall clock. `writeLine` writes a line to standard error; it is given by a command that has other
 * text on the same terminal.
 *
 * Own code, because what pino offers either blocks the server while the reader of a pipe does not read, or
 * blocks the end of the process. This never waits: Node writes to a pipe in the background.
 */
export function openLog(
	{ now }: { readonly now: () => number },
	writeLine: (line: string) => void = (line) => void process.stderr.write(onOwnLine(process.stderr, line)),
): Log {
	const { stderr } = process;
	const format = stderr.isTTY ? terminalLine : jsonLine;
	let dropped = 0;
	const write = (line: LogLine): void => {
		if (!stderr.writable || stderr.writableLength > LONGEST_BACKLOG_BYTES) {
			dropped += 1;
			return;
		}
		if (dropped > 0) {
			const message = `${dropped} lines were dropped, because the log was not read`;
			writeLine(format({ level: 'warning', component: 'log', message }, now()));
			dropped = 0;
		}
		writeLine(format(line, now()));
	};
	return {
		info: (message) => write({ level: 'info', message }),
		warning: (message) => write({ level: 'warning', message }),
		error: (component, about, error) =>
			write({ level: 'warning', component, about, message: messageOf(error), error }),
		failure: (error) => write({ level: 'fatal', message: error.message, error: error.cause }),
	};
}

/** A line for people, with its line end: `stint 12:00:05 warning: scheduler default/pi: no route to host`. */
export function terminalLine({ level, component, about, message }: LogLine, now: number): string {
	const time = new Date(now).toTimeString().slice(0, 8);
	const weight = level === 'info' ? '' : level === 'warning' ? 'warning: ' : 'error: ';
	const where = component === undefined ? '' : `${component}${about ? ` ${about}` : ''}: `;
	return `stint ${time} ${weight}${escapeControls(`${where}${message}`.replaceAll('\n', ' '))}\n`;
}

/** A line of JSON, with its line end. */
export function jsonLine({ level, component, about, message, error }: LogLine, now: number): string {
	const stack = stackOf(error);
	return `${JSON.stringify({
		time: new Date(now).toISOString(),
		level,
		...(component && { component }),
		...(about && { about }),
		message,
		...(stack && { stack }),
	})}\n`;
}

/** The stack of a fault of ours, and of its causes. The answer of an API server says everything by its message. */
function stackOf(error: unknown): string | undefined {
	if (!(error instanceof Error) || error instanceof ApiError) return undefined;
	const cause = stackOf(error.cause);
	return cause === undefined ? error.stack : `${error.stack}\ncaused by: ${cause}`;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
