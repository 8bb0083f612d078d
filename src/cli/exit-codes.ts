import type { Interruption } from './context.ts';

/** The exit codes that a shell reports for a process ended by these signals, 128 plus the number; 1 for an error. */
export const EXIT_CODES: Readonly<Record<Interruption, number>> = {
	SIGHUP: 129,
	SIGINT: 130,
	SIGPIPE: 141,
	SIGTERM: 143,
	'write-error': 1,
};
