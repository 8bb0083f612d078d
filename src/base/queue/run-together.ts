import type { Work } from '../lifecycle.ts';

/**
 * Runs `works` concurrently; resolves once all have ended. They get a signal that aborts with `signal`. When
 * one rejects, the signal of the others aborts too, and this rejects with the first error once all have
 * ended. Promise.all alone would reject at once and leave the others running after their owner has ended.
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
