/** `text` as one word of a command for a POSIX shell: in single quotes where a shell would change it. */
export function shellWord(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
