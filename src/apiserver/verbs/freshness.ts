import { tooLargeRevision } from '../../api/errors/api-error.ts';
import type { ServerContext } from '../context.ts';
import { storeLost } from '../errors.ts';

/**
 * How long a request waits for a revision that the cache has not reached, as upstream (blockTimeout in
 * watch_cache.go).
 */
const LONGEST_WAIT_MS = 3000;

/**
 * Resolves once the cache has reached `revision`. Rejects with Timeout if that takes more than three seconds,
 * or when `signal` aborts. Clients use it for consistent reads: they send a resourceVersion that they
 * received from a write.
 */
export async function untilFresh(
	{ cache, clock }: Pick<ServerContext, 'cache' | 'clock'>,
	revision: number,
	signal?: AbortSignal,
): Promise<void> {
	if (cache.revision >= revision) return;
	const waiting = new AbortController();
	const stop = (): void => waiting.abort();
	signal?.addEventListener('abort', stop, { once: true });
	const timer = clock.setTimer(LONGEST_WAIT_MS, stop);
	await cache.reached(revision, waiting.signal);
	timer.cancel();
	signal?.removeEventListener('abort', stop);
	if (cache.failure) throw storeLost();
	if (cache.revision < revision) throw tooLargeRevision(revision, cache.revision);
}
