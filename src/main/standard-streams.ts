import { fstatSync, writeSync } from 'node:fs';
import { systemReason } from '../base/files/folders.ts';
import { codeOf } from '../base/files/system-error.ts';
import type { OutputStream } from '../cli/print/output.ts';
import { exitCodeWithOutput, hasLostOutput, noticeLostOutput } from './interruptions.ts';
import { onOwnLine } from './own-line.ts';

/**
 * A standard stream of this process as an {@link OutputStream}. Writes after the reader has closed it, or after an
 * error of standard output, are dropped.
 */
export function standardStream(stream: NodeJS.WriteStream): OutputStream {
	return {
		write: (text) => {
			const isLost = stream === process.stdout && hasLostOutput();
			if (stream.writable && !isLost) stream.write(text);
		},
		get columns() {
			return stream.isTTY ? stream.columns : undefined;
		},
		ready: () => (stream.writableNeedDrain ? settled(stream, 'drain') : Promise.resolve()),
	};
}

/**
 * Handles errors of the standard streams. Call it once.
 *
 * 1. A standard output whose reader has closed it (`stint get ... | head`) is treated as SIGPIPE: see interruptions.ts.
 * 2. Another error of standard output, such as a full disk, is printed, and the command fails.
 * 3. Errors of standard error are ignored: there is no place to print them.
 * 4. Of text for a file, all is written or the command fails. Node's stream for files takes a part for the whole: what
 *    the disk has no room for would be lost, with exit code 0.
 */
export function watchStandardStreams(): void {
	const { stdout, stderr } = process;
	stderr.on('error', () => undefined);
	stdout.on('error', loseOutput);
	if (fstatSync(stdout.fd).isFile()) stdout._write = writeToFile;
	// A write to a file fails at once, but Node emits the error later: after process.exit, never.
	process.on('exit', (code) => {
		if (stdout.errored && !isReaderGone(stdout.errored)) loseOutput(stdout.errored);
		process.exitCode = exitCodeWithOutput(code);
	});
}

/** Writes a chunk to the file that standard output is. */
function writeToFile(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
	try {
		for (let at = 0; at < bytes.length; ) at += writeSync(process.stdout.fd, bytes, at);
		done();
	} catch (error) {
		done(error instanceof Error ? error : new Error(String(error)));
	}
}

function loseOutput(error: Error): void {
	if (hasLostOutput()) return;
	const { stderr } = process;
	const isClosed = isReaderGone(error);
	const text = `error: cannot write to standard output: ${systemReason(error)}\n`;
	if (!isClosed) stderr.write(onOwnLine(stderr, text));
	noticeLostOutput(isClosed ? 'SIGPIPE' : 'write-error');
}

/** EPIPE: the reader of the pipe has closed it. EIO: the terminal of a background process was closed. */
function isReaderGone(error: Error): boolean {
	return codeOf(error) === 'EPIPE' || (codeOf(error) === 'EIO' && process.stdout.isTTY);
}

/**
 * Exits with `code` once the standard streams are flushed: process.exit() alone would drop output that is
 * buffered for a pipe. Open connections do not delay the exit.
 */
export async function exitDrained(code: number): Promise<never> {
	await Promise.all([process.stdout, process.stderr].map(drained));
	process.exit(code);
}

/** Resolves once the stream's buffer is written, or the stream is closed. */
async function drained(stream: NodeJS.WriteStream): Promise<void> {
	if (!stream.writable || stream.writableLength === 0) return;
	await Promise.race([new Promise((resolve) => stream.write('', resolve)), settled(stream, 'close')]);
}

/** Resolves at `event`, or at the stream's error or close. */
function settled(stream: NodeJS.WriteStream, event: string): Promise<void> {
	return new Promise((resolve) => {
		const events = [event, 'error', 'close'];
		const settle = (): void => {
			for (const each of events) stream.off(each, settle);
			resolve();
		};
		for (const each of events) stream.on(each, settle);
	});
}
