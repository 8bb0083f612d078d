import type { Logger } from 'pino';
import { ApiError } from '../api/meta/api-error.ts';

/** Where a server writes what went wrong. Nothing secret may be passed to it. */
export interface Log {
	/** An error that was met in `component` while working on `about`, and that is dealt with. */
	error(component: string, about: string, error: unknown): void;
	/** Something that the operator may want to know. */
	info(message: string): void;
}

/**
 * A log of JSON lines on standard error. The library behind it is loaded with the first line, since a
 * server that has nothing to say should not pay for it at its start.
 */
export function openLog(): Log {
	let logger: Promise<Logger> | undefined;
	const write = (line: (logger: Logger) => void): void => {
		logger ??= import('pino').then(({ pino, destination }) => pino({}, destination({ fd: 2, sync: true })));
		logger.then(line, () => undefined);
	};
	return {
		error: (component, about, error) =>
			write((to) => to.warn({ component, about, ...stackOf(error) }, messageOf(error))),
		info: (message) => write((to) => to.info(message)),
	};
}

/** The way to a fault of ours; an answer of the API says all that there is to say by itself. */
function stackOf(error: unknown): { readonly err?: unknown } {
	return error instanceof ApiError ? {} : { err: error };
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
