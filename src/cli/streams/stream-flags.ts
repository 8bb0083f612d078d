import type { CliContext } from '../context.ts';

/** The flags of a session that say what of this process is passed on. */
export interface InputFlags {
	readonly stdin?: boolean;
	readonly tty?: boolean;
}

/** Printed before a session with the main process of a container, as kubectl does. */
export const ATTACH_NOTICES: readonly string[] = [
	'All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.',
	"If you don't see a command prompt, try pressing enter.",
];

/** Whether input and a terminal are passed on: a terminal needs one here too. Upstream: SetupTTY in kubectl's exec. */
export function inputOf(
	{ rawStreams }: Pick<CliContext, 'rawStreams'>,
	{ stdin = false, tty = false }: InputFlags,
	notify: (text: string) => void,
): { readonly stdin: boolean; readonly tty: boolean } {
	if (!stdin || !tty) return { stdin, tty: false };
	if (rawStreams.isTerminal) return { stdin, tty };
	notify('Unable to use a TTY - input is not a terminal or the right kind of file');
	return { stdin, tty: false };
}

/** The options of a session as query parameters. A terminal has no separate standard error. */
export function streamQuery({
	stdin,
	tty,
}: {
	readonly stdin: boolean;
	readonly tty: boolean;
}): Readonly<Record<string, string>> {
	return {
		stdout: 'true',
		...(stdin && { stdin: 'true' }),
		...(tty ? { tty: 'true' } : { stderr: 'true' }),
	};
}
