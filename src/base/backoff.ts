/** A delay that doubles with each failure in a row: `baseMs`, twice that, … but at most `capMs`. */
export interface BackoffPolicy {
	readonly baseMs: number;
	readonly capMs: number;
}

/** The delay after `failures` failures in a row (0 for none), in milliseconds. */
export function backoffDelayMs(policy: BackoffPolicy, failures: number): number {
	if (failures <= 0) return 0;
	return Math.min(policy.baseMs * 2 ** Math.min(failures - 1, 52), policy.capMs);
}
