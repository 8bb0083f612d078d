/** The properties of a stream that {@link onOwnLine} uses. */
export interface MaybeTerminal {
	readonly isTTY?: boolean;
	readonly columns?: number;
}

/**
 * Prefixes `text` so that it starts on a new line if `stream` is a terminal: a server in the background
 * shares the terminal with the shell's prompt and with the status line of `stint run`. For other streams it
 * returns `text`.
 *
 * A process cannot read the cursor position, so the prefix has as many spaces as a line has columns. If the
 * cursor was at the start of a line, it stays in that line, at its end (a terminal wraps only at the next
 * character); otherwise it is now in the next line. The carriage return then moves it to the start of an
 * empty line. zsh does the same before its prompt. Clearing the line instead would delete the text that the
 * user is typing.
 */
export function onOwnLine({ isTTY, columns }: MaybeTerminal, text: string): string {
	return isTTY && columns ? `${' '.repeat(columns)}\r\x1b[K${text}` : text;
}
