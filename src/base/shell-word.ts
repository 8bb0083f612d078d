/** Quotes `text` as one word for a POSIX shell; a text without special characters stays unquoted. */
export function shellWord(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
