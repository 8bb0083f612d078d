import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { ApiError } from '../api/errors/api-error.ts';
import { attempt } from '../base/attempt.ts';
import { messageOf } from '../base/message-of.ts';
import { escapeControls } from '../cli/print/terminal-text.ts';
import { onOwnLine } from './own-line.ts';

/** The server's log. Callers must not pass secrets to it. */
export interface Log {
	/** Logs an event of interest to the operator. */
	info(message: string): void;
	/** Logs a problem that the server handles itself. */
	warning(message: string): void;
	/**
	 * Logs an error of `component` while it worked on `about` (a request or an object key); the component
	 * retries.
	 */
	error(component: string, about: string, error: unknown): void;
	/** Logs the failure of a part of the server, because of which the server stops. */
	failure(error: Error): void;
}

/** One line of the log. */
export interface LogEntry {
	readonly level: 'info' | 'warning' | 'fatal';
	readonly message: string;
	/** The part of the server that logged the line. */
	readonly component?: string;
	/** The request or object that the component worked on. */
	readonly about?: string;
	readonly error?: unknown;
}

/** Bytes that may wait in standard error's buffer. Beyond that, lines are dropped and counted. */
const MAX_BACKLOG_BYTES = 1 << 20;

/**
 * Opens a log on standard error: plain text if that is a terminal, otherwise one JSON object per line. `now`
 * is the wall clock. `writeLine` writes a line to standard error, and returns whether it did; a command passes its own, and gets
 * plain text among what it prints itself.
 *
 * Own code instead of pino: a pino destination either blocks the server while the reader of the pipe does not
 * read, or blocks the exit of the process. This log never blocks: Node writes to a pipe asynchronously.
 */
export function openLog({ now }: { readonly now: () => number }, writeLine?: (line: string) => boolean): Log {
	const format = writeLine || process.stderr.isTTY ? terminalLine : jsonLine;
	const writeText = writeLine ?? standardErrorLines();
	let dropped = 0;
	const write = (line: LogEntry): void => {
		if (dropped > 0) {
			const message = `${dropped} log lines were dropped: the reader was too slow, or they could not be written`;
			if (writeText(format({ level: 'warning', component: 'log', message }, now()))) dropped = 0;
		}
		if (dropped > 0 || !writeText(format(line, now()))) dropped += 1;
	};
	return {
		info: (message) => write({ level: 'info', message }),
		warning: (message) => write({ level: 'warning', message }),
		error: (component, about, error) =>
			write({ level: 'warning', component, about, message: messageOf(error), error }),
		failure: (error) => write({ level: 'fatal', message: error.message, error: error.cause }),
	};
}

/**
 * What writes lines to standard error. It returns false if a line was dropped: the buffer is full, the reader is gone, or
 * the disk is full.
 */
function standardErrorLines(): (line: string) => boolean {
	const { stderr } = process;
	// A stream is closed for ever by its first error, though the disk may have space again.
	if (isFile(stderr.fd))
		return (line) => attempt(() => writeSync(stderr.fd, line)) === Buffer.byteLength(line);
	return (line) => {
		if (!stderr.writable || stderr.writableLength > MAX_BACKLOG_BYTES) return false;
		stderr.write(onOwnLine(stderr, line));
		return true;
	};
}

/** Whether a descriptor is that of a file, or of a device that is written as one. */
function isFile(descriptor: number): boolean {
	const stats = attempt(() => fstatSync(descriptor));
	return stats !== undefined && (stats.isFile() || (stats.isCharacterDevice() && !isatty(descriptor)));
}

/** A line as plain text, with its newline: `stint 12:00:05 warning: scheduler default/pi: no route to host`. */
export function terminalLine({ level, component, about, message }: LogEntry, now: number): string {
	const time = new Date(now).toTimeString().slice(0, 8);
	const weight = level === 'info' ? '' : level === 'warning' ? 'warning: ' : 'error: ';
	const where = component === undefined ? '' : `${component}${about ? ` ${about}` : ''}: `;
	return `stint ${time} ${weight}${escapeControls(`${where}${message}`.replaceAll('\n', ' '))}\n`;
}

/** A line as JSON, with its newline. */
export function jsonLine({ level, component, about, message, error }: LogEntry, now: number): string {
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

/**
 * The stacks of an error and its causes; undefined for an ApiError, whose message is complete without a
 * stack.
 */
function stackOf(error: unknown): string | undefined {
	if (!(error instanceof Error) || error instanceof ApiError) return undefined;
	const cause = stackOf(error.cause);
	return cause === undefined ? error.stack : `${error.stack}\ncaused by: ${cause}`;
}
