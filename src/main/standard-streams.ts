import type { OutputStream } from '../cli/output.ts';
import { noticeClosedOutput } from './interruptions.ts';

/** A standard stream of this process as the commands write to it. */
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

/** A pipe whose reader has ended; a terminal that was closed under a process in the background. */
const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'EIO']);

/**
 * Prepares for readers that go away (`stint get ... | head`): to a command that ends on its own it is an
 * end like any other; one that runs something is told as by a signal. Call it once.
 */
export function watchStandardStreams(): void {
	for (const stream of [process.stdout, process.stderr]) {
		stream.on('error', (error: NodeJS.ErrnoException) => {
			if (!READER_GONE.has(error.code ?? '')) throw error;
			if (stream === process.stdout) noticeClosedOutput();
		});
	}
}

/**
 * Ends the process with `code` once the readers of its standard streams have taken everything, since
 * process.exit() drops what a pipe has not taken yet. Connections that are still open do not delay it.
 */
export async function exitDrained(code: number): Promise<never> {
	await Promise.all([process.stdout, process.stderr].map(drained));
	process.exit(code);
}

/** Resolves once everything is written, or can never be. */
async function drained(stream: NodeJS.WriteStream): Promise<void> {
	if (!stream.writable || stream.writableLength === 0) return;
	await Promise.race([new Promise((resolve) => stream.write('', resolve)), settled(stream, 'close')]);
}

/** Resolves at the event, or at the end of the stream. */
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
