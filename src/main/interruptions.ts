import type { Interruption, LostOutput } from '../cli/context.ts';
import { EXIT_CODES } from '../cli/exit-codes.ts';

const listeners = new Set<(by: Interruption) => void>();

let lostOutput: LostOutput | undefined;
let isOutputOptional = false;

/** The signals that ask a process to end. */
export type EndSignal = Exclude<Interruption, LostOutput>;

/** Calls `listener` at each signal that asks the process to end. Returns the function that removes it. */
export function onEndSignal(listener: (by: EndSignal) => void): () => void {
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	for (const signal of signals) process.on(signal, listener);
	return () => {
		for (const signal of signals) process.off(signal, listener);
	};
}

/** Implements {@link CliContext.onInterrupt}. */
export function onInterrupt(listener: (by: Interruption) => void): () => void {
	const off = onEndSignal(listener);
	listeners.add(listener);
	return () => {
		off();
		listeners.delete(listener);
	};
}

/** The process runs on without standard output: a server, which prints there only that it is ready. */
export function continueWithoutOutput(): void {
	isOutputOptional = true;
}

/** Whether standard output is lost: nothing is written to it any more. */
export function hasLostOutput(): boolean {
	return lostOutput !== undefined;
}

/**
 * Handles a standard output that is lost; called at most once. Calls the listeners: `run` then deletes the objects that
 * it has created. Without a listener the process exits: after SIGPIPE with code 0 and no message, as a filter in front of
 * `head` does.
 */
export function noticeLostOutput(by: LostOutput): void {
	lostOutput = by;
	if (isOutputOptional) return;
	if (listeners.size === 0) process.exit(by === 'SIGPIPE' ? 0 : EXIT_CODES[by]);
	for (const listener of listeners) listener(by);
}

/** The exit code of a process that would exit with `code`: not 0 if a part of its output could not be written. */
export function exitCodeWithOutput(code: number): number {
	return code === 0 && lostOutput === 'write-error' && !isOutputOptional ? EXIT_CODES[lostOutput] : code;
}
