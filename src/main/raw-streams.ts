import type { RawStreams } from '../cli/streams/raw-streams.ts';

/** The {@link RawStreams} of this process. */
export function rawStreams(): RawStreams {
	return {
		get isTerminal() {
			return process.stdin.isTTY === true;
		},
		input: readInput,
		write: (output, bytes) => {
			const stream = process[output];
			if (!stream.writable || stream.write(bytes)) return Promise.resolve();
			return new Promise((resolve) => {
				const done = (): void => {
					stream.off('drain', done).off('close', done);
					resolve();
				};
				stream.on('drain', done).on('close', done);
			});
		},
		size: () => {
			const { columns, rows, isTTY } = process.stdout;
			return isTTY ? { width: columns, height: rows } : undefined;
		},
		onResize: (listener) => {
			process.stdout.on('resize', listener);
			return () => void process.stdout.off('resize', listener);
		},
		setRaw: () => {
			process.stdin.setRawMode(true);
			return () => void process.stdin.setRawMode(false);
		},
	};
}

/** Reads standard input. An iterator of the stream itself could not be ended while it waits for input. */
async function* readInput(signal: AbortSignal): AsyncGenerator<Uint8Array> {
	const { stdin } = process;
	let wake: () => void = () => undefined;
	const changed = (): void => wake();
	const events = ['readable', 'end', 'close', 'error'] as const;
	for (const event of events) stdin.on(event, changed);
	signal.addEventListener('abort', changed, { once: true });
	try {
		while (!signal.aborted) {
			const next = new Promise<void>((resolve) => {
				wake = resolve;
			});
			const bytes: Uint8Array | null = stdin.read();
			if (bytes) yield bytes;
			else if (stdin.readableEnded || stdin.destroyed) return;
			else await next;
		}
	} finally {
		for (const event of events) stdin.off(event, changed);
		signal.removeEventListener('abort', changed);
		// Otherwise a terminal, or a pipe that stays open, keeps the process alive.
		stdin.pause();
		stdin.unref?.();
	}
}
