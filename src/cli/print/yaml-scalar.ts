import { quote } from '../../base/quote.ts';

/**
 * How a text is written as a YAML scalar: the choices of the library that kubectl prints with
 * (go-yaml 2), since users compare and grep that output.
 */

/** Where a scalar stands. */
export interface ScalarPlace {
	/** The column its continuation lines begin at. */
	readonly indent: number;
	/** The column it begins at itself; undefined for a key, which is never broken. */
	readonly column: number | undefined;
}

/** Lines are broken at the first blank after this column. */
const LINE_WIDTH = 80;

/** `text` as a scalar, without the line end. */
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

/** Holds a character that only escapes can show: tabs, other controls, what lies beyond 16 bits. */
function isSpecial(text: string): boolean {
	return /[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/.test(text);
}

/** Text that YAML 1.1 would read as a number, a time, a truth value, a merge or nothing at all. */
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

/** `yes`, `Yes` and `YES` are words of YAML 1.1, `yES` is none. */
function isCommonCase(text: string): boolean {
	return text.slice(1) === text.slice(1).toLowerCase() || text === text.toUpperCase();
}

function needsQuotes(text: string): boolean {
	return (
		/^[-?:]( |$)/.test(text) ||
		/^[,[\]{}#&*!|>'"%@`]/.test(text) ||
		/^(---|\.\.\.)/.test(text) ||
		/: | #|:$/.test(text) ||
		/^ | $/.test(text)
	);
}

function doubleQuoted(text: string, place: ScalarPlace): string {
	const escaped = quote(text)
		.slice(1, -1)
		.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => (hex === '00' ? '\\0' : `\\x${hex.toUpperCase()}`))
		.replace(/\\x1B/g, '\\e')
		.replace(/[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/gu, escapeBeyond);
	return `"${fold(escaped, place, 1)}"`;
}

function escapeBeyond(char: string): string {
	const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase();
	return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

/** Breaks at single blanks beyond the line's width; `opening` is the length of the opening quote. */
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

/** A block that shows its lines as they are. */
function literal(text: string, indent: number): string {
	const hint = /^[ \n]/.test(text) ? '2' : '';
	const chomp = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
	const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
	const body = lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line));
	return [`|${hint}${chomp}`, ...body].join('\n');
}
