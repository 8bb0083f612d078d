import { type Clock, sleep } from './clock.ts';

/** The system's code of an error, `ENOENT`; empty if it has none. */
export function codeOf(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the error says that there is no such file or folder. */
export function isMissing(error: unknown): boolean {
	return codeOf(error) === 'ENOENT';
}

/** Too many open files, here or on the machine; too many processes; no memory. */
const OF_THE_SYSTEM: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);
/** No room on the disk, or none for this user. */
const OF_THE_DISK: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** Whether the call failed because the machine had too little of something at the time: it may succeed later. */
export function isShortage(error: unknown): boolean {
	return isSystemShortage(error) || OF_THE_DISK.has(codeOf(error));
}

/** The same, without what a full disk is the cause of. */
export function isSystemShortage(error: unknown): boolean {
	return OF_THE_SYSTEM.has(codeOf(error));
}

/** How long {@link patiently} tries again, and how often. */
const PATIENCE_MS = 5000;
const RETRY_MS = 50;

/**
 * Settles as `act` does; while it fails for want of open files, processes or memory, it is tried again, for
 * some seconds.
 */
export async function patiently<T>(clock: Clock, act: () => Promise<T>): Promise<T> {
	const deadline = clock.monotonic() + PATIENCE_MS;
	for (;;) {
		try {
			return await act();
		} catch (error) {
			if (!isSystemShortage(error) || clock.monotonic() >= deadline) throw error;
			await sleep(clock, RETRY_MS);
		}
	}
}
