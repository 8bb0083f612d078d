/**
 * Escapes text from objects (names, reasons, messages, annotations) before it is written to a terminal.
 * kubectl escapes ESC and CR there (k8s.io/kubectl/pkg/util/term and cli-runtime's printers); a terminal also
 * interprets the other control characters and the C1 set, so all of them are escaped here. Tabs and newlines
 * are kept, since they lay the text out.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression has to match control characters.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** `text` with each control character as kubectl writes it: `^[` for ESC, `\r` for CR, `^G` for BEL. */
export function escapeControls(text: string): string {
	return text.replace(CONTROL, (character) => {
		const code = character.charCodeAt(0);
		if (code === 0x0d) return '\\r';
		if (code === 0x7f) return '^?';
		return code < 0x20 ? `^${String.fromCharCode(code + 0x40)}` : `\\u00${code.toString(16)}`;
	});
}
