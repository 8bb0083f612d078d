import type { Interruption } from '../cli/context.ts';

const listeners = new Set<(by: Interruption) => void>();

let outputClosed = false;

/** See {@link CliContext.onInterrupt}. */
export function onInterrupt(listener: (by: Interruption) => void): () => void {
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	for (const signal of signals) process.on(signal, listener);
	listeners.add(listener);
	return () => {
		for (const signal of signals) process.off(signal, listener);
		listeners.delete(listener);
	};
}

/**
 * The reader of standard output is gone: a command that listens for interruptions takes back what it
 * runs; any other one ends here, quietly and with success, as a filter before `head` does.
 */
export function noticeClosedOutput(): void {
	if (outputClosed) return;
	outputClosed = true;
	if (listeners.size === 0) process.exit(0);
	for (const listener of listeners) listener('SIGPIPE');
}
