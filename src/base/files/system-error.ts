import { type Clock, sleep } from '../clock.ts';

/** The code of a system error, such as `ENOENT`; empty for any other value. */
export function codeOf(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the error says that a file or folder does not exist. */
export function isMissing(error: unknown): boolean {
	return codeOf(error) === 'ENOENT';
}

/** For `catch` of a promise: undefined if the error is that of {@link isMissing}; throws all others. */
export function undefinedIfMissing(error: unknown): undefined {
	if (!isMissing(error)) throw error;
}

/** Too many open files in the process or on the machine, too many processes, or too little memory. */
const SYSTEM_SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);
/** The disk is full, or the user's disk quota is exhausted. */
const DISK_SHORTAGES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Whether a call failed because a resource of the machine was exhausted. A retry may succeed later. */
export function isShortage(error: unknown): boolean {
	return isSystemShortage(error) || DISK_SHORTAGES.has(codeOf(error));
}

/** As {@link isShortage}, but false if the disk or its quota was exhausted. */
export function isSystemShortage(error: unknown): boolean {
	return SYSTEM_SHORTAGES.has(codeOf(error));
}

/** The time for which {@link patiently} retries, and the interval between its attempts. */
const RETRY_TIMEOUT_MS = 5000;
const RETRY_INTERVAL_MS = 50;

/**
 * Settles as `act` does, but retries for five seconds while it fails for lack of file descriptors, processes
 * or memory. Such a shortage usually ends within seconds, when other processes close their files or exit.
 */
export async function patiently<T>(clock: Clock, act: () => Promise<T>): Promise<T> {
	const deadline = clock.monotonic() + RETRY_TIMEOUT_MS;
	for (;;) {
		try {
			return await act();
		} catch (error) {
			if (!isSystemShortage(error) || clock.monotonic() >= deadline) throw error;
			await sleep(clock, RETRY_INTERVAL_MS);
		}
	}
}
