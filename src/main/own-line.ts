/** What {@link onOwnLine} asks about a stream. */
export interface MaybeTerminal {
	readonly isTTY?: boolean;
	readonly columns?: number;
}

/**
 * `text`, so that it begins on a line of its own where `stream` is a terminal that other processes write to as well:
 * a server in the background shares it with a shell's prompt and with the status line of `stint run`. Elsewhere it is
 * the text itself.
 *
 * A process cannot see where the cursor is, so this writes as many spaces as a line has columns. If the cursor was at
 * the beginning of a line, it stays in that line, at its end (a terminal wraps at the next character only); otherwise
 * it is in the next one. The carriage return then leads to the beginning of an empty line. zsh does the same before
 * its prompt. Clearing the line instead would delete what a user is typing.
 */
export function onOwnLine({ isTTY, columns }: MaybeTerminal, text: string): string {
	return isTTY && columns ? `${' '.repeat(columns)}\r\x1b[K${text}` : text;
}
