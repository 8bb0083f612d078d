import type { OutputStream } from '../cli/print/output.ts';
import { noticeClosedOutput } from './interruptions.ts';

/**
 * A standard stream of this process as an {@link OutputStream}. Writes after the reader has closed it are
 * dropped.
 */
export function standardStream(stream: NodeJS.WriteStream): OutputStream {
	return {
		write: (text) => {
			if (stream.writable) stream.write(text);
		},
		get columns() {
			return stream.isTTY ? stream.columns : undefined;
		},
		ready: () => (stream.writableNeedDrain ? settled(stream, 'drain') : Promise.resolve()),
	};
}

/** EPIPE: the reader of the pipe has closed it. EIO: the terminal of a background process was closed. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO']);

/**
 * Handles readers that close the standard streams early (`stint get ... | head`): a closed standard output is
 * treated as SIGPIPE (see interruptions.ts), all errors of standard error are ignored. Throws other errors. Call it
 * once.
 */
export function watchStandardStreams(): void {
	for (const stream of [process.stdout, process.stderr]) {
		stream.on('error', (error: NodeJS.ErrnoException) => {
			// Where it could be reported, there is nothing to write to.
			if (stream === process.stderr) return;
			if (!READER_GONE.has(error.code ?? '')) throw error;
			noticeClosedOutput();
		});
	}
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
