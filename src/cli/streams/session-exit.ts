import { CommandError } from '../context.ts';
import type { SessionEnd } from './join-session.ts';

/**
 * The exit code of a session: that of the command. Throws a CommandError, whose message is kubectl's, if the command did
 * not end by itself.
 */
export function exitCodeOfSession(end: SessionEnd): number {
	if (end.type === 'lost') throw new CommandError(end.message);
	const { status, reason, message = '', details } = end.status;
	if (status === 'Success') return 0;
	const code = details?.causes?.find((cause) => cause.reason === 'ExitCode')?.message;
	if (reason !== 'NonZeroExitCode' || code === undefined) throw new CommandError(message);
	return Number(code);
}
