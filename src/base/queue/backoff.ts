/**
 * Exponential backoff: the delay is `baseMs` after the first failure, doubles with each further one, up to
 * `capMs`.
 */
export interface BackoffPolicy {
	readonly baseMs: number;
	readonly capMs: number;
}

/** The delay in milliseconds after `failures` consecutive failures; 0 if there were none. */
export function backoffDelayMs(policy: BackoffPolicy, failures: number): number {
	if (failures <= 0) return 0;
	return Math.min(policy.baseMs * 2 ** Math.min(failures - 1, 52), policy.capMs);
}

/** The number of consecutive failures from which on the delay is the cap. */
export function failuresUntilCap({ baseMs, capMs }: BackoffPolicy): number {
	return 1 + Math.max(0, Math.ceil(Math.log2(capMs / baseMs)));
}
