import type { Work } from './lifecycle.ts';

/**
 * Runs `works` side by side until all have ended; `signal` ends them. When one rejects, the signal of the
 * others aborts, and this rejects with that first error once all have ended: with Promise.all the others
 * would run on after it, and work for a part that its owner believes to have ended.
 */
export async function runTogether(works: readonly Work[], signal: AbortSignal): Promise<void> {
	const stop = new AbortController();
	const abort = (): void => stop.abort(signal.reason);
	if (signal.aborted) abort();
	signal.addEventListener('abort', abort, { once: true });
	let failure: { readonly error: unknown } | undefined;
	const run = async (work: Work): Promise<void> => {
		try {
			await work(stop.signal);
		} catch (error) {
			failure ??= { error };
			stop.abort();
		}
	};
	await Promise.all(works.map(run));
	signal.removeEventListener('abort', abort);
	if (failure) throw failure.error;
}
