import type { Interruption } from '../cli/context.ts';

const listeners = new Set<(by: Interruption) => void>();

let outputClosed = false;

/** Implements {@link CliContext.onInterrupt}. */
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
 * Handles a standard output whose reader has closed it. Calls the listeners with SIGPIPE: `run` then deletes
 * the objects that it has created. Without a listener the process exits with code 0 and no message, as a
 * filter in front of `head` does.
 */
export function noticeClosedOutput(): void {
	if (outputClosed) return;
	outputClosed = true;
	if (listeners.size === 0) process.exit(0);
	for (const listener of listeners) listener('SIGPIPE');
}
