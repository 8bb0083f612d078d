import { quote } from '../../base/quote.ts';

/**
 * Writes a text as a YAML scalar with the same style, quotes and line breaks as the library that kubectl
 * prints with (go-yaml 2), since users compare and grep that output.
 */

/** The position of a scalar in the output. */
export interface ScalarPlace {
	/** The column of its continuation lines. */
	readonly indent: number;
	/** The column of its first line; undefined for a key, which is never broken. */
	readonly column: number | undefined;
}

/** Lines are broken at the first space after this column. */
const LINE_WIDTH = 80;

/** `text` as a scalar, without the final newline. */
export function scalar(text: string, place: ScalarPlace): string {
	const plain = !isAmbiguous(text);
	if (isSpecial(text)) return doubleQuoted(text, place);
	if (text.includes('\n') && !/ $| \n/.test(text) && place.column !== undefined) {
		return literal(text, place.indent);
	}
	if (text.includes('\n') || !plain) return doubleQuoted(text, place);
	if (!needsQuotes(text)) return fold(text, place, 0);
	return `'${fold(text.replaceAll("'", "''"), place, 1)}'`;
}

/** Whether `text` contains a character that go-yaml escapes: tabs, other controls, code points above U+FFFD. */
function isSpecial(text: string): boolean {
	return /[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text);
}

/** Whether a YAML 1.1 parser would read the plain `text` as a number, a time, a boolean or null. */
function isAmbiguous(text: string): boolean {
	return (
		text === '' ||
		(/^(~|null|true|false|y|n|yes|no|on|off)$/i.test(text) && isCommonCase(text)) ||
		/^[-+]?(0b[01_]+|0o?[0-7_]+|0x[\da-f_]+|\d[\d_]*)$/i.test(text) ||
		/^[-+]?(\.\d+|\d[\d_]*(\.[\d_]*)?)(e[-+]?\d+)?$/i.test(text) ||
		/^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/.test(text) ||
		/^[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?$/.test(text) ||
		/^\d{4}-\d\d?-\d\d?([Tt ].*)?$/.test(text)
	);
}

/** Whether the case of a word makes it a boolean or null of YAML 1.1: `yes`, `Yes` and `YES`, but not `yES`. */
function isCommonCase(text: string): boolean {
	return text.slice(1) === text.slice(1).toLowerCase() || text === text.toUpperCase();
}

/** Whether plain text would start or contain something that YAML gives a meaning to: indicators, comments, document marks. */
function needsQuotes(text: string): boolean {
	return (
		/^[-?:]( |$)/.test(text) ||
		/^[,[\]{}#&*!|>'"%@`]/.test(text) ||
		/^(---|\.\.\.)/.test(text) ||
		/: | #|:$/.test(text) ||
		/^ | $/.test(text)
	);
}

/** The escapes of go-yaml: `\0`, `\e`, and hexadecimal digits in capitals. */
function doubleQuoted(text: string, place: ScalarPlace): string {
	const escaped = quote(text)
		.slice(1, -1)
		.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => (hex === '00' ? '\\0' : `\\x${hex.toUpperCase()}`))
		.replace(/\\x1B/g, '\\e')
		.replace(/[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/gu, escapeBeyond);
	return `"${fold(escaped, place, 1)}"`;
}

/** `\uXXXX`, or `\UXXXXXXXX` for code points that UTF-16 writes as two units. */
function escapeBeyond(char: string): string {
	const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase();
	return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

/** Breaks a text at single spaces beyond the line width; `opening` is the length of the opening quote. */
function fold(text: string, { column, indent }: ScalarPlace, opening: number): string {
	if (column === undefined || column + opening + text.length <= LINE_WIDTH) return text;
	let at = column + opening;
	let folded = '';
	for (let i = 0; i < text.length; i++) {
		const lone = text[i] === ' ' && text[i - 1] !== ' ' && text[i + 1] !== ' ';
		if (lone && at > LINE_WIDTH && i > 0 && i < text.length - 1) {
			folded += `\n${' '.repeat(indent)}`;
			at = indent;
		} else {
			folded += text[i];
			at++;
		}
	}
	return folded;
}

/** The text as a literal block scalar (`|`). */
function literal(text: string, indent: number): string {
	// The indentation must be said if the first line begins with spaces of its own.
	const hint = /^[ \n]/.test(text) ? '2' : '';
	// `-` for no newline at the end, `+` for more than one.
	const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
	const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
	const body = lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line));
	return [`|${hint}${chomp}`, ...body].join('\n');
}
