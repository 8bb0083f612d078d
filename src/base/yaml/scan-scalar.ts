import { type Cursor, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, YamlLimitError } from './cursor.ts';

/** How a scalar is written: only a plain one without a tag is looked at for numbers, truth values and null. */
export type ScalarStyle = 'plain' | 'quoted' | 'block';

/** Where a scalar stands. */
export interface ScalarContext {
	/** The indentation of the block around it, -1 at the top. */
	readonly indent: number;
	/** Whether it stands in brackets or braces. */
	readonly inFlow: boolean;
}

/** A plain scalar, and what was passed over behind it. */
export interface PlainScalar {
	readonly value: string;
	/** Where its last character ends. */
	readonly end: number;
	/** Whether a line ended behind it, so that a key may follow. */
	readonly endedLine: boolean;
}

/**
 * The pieces of a scalar, of lines and escapes. A text of 3 MB can have a million of them; of a file that
 * fits into a ConfigMap they would be ten characters long.
 */
class Pieces {
	readonly #pieces: string[] = [];

	push(piece: string): void {
		if (piece === '') return;
		if (this.#pieces.push(piece) > MOST_PIECES) {
			throw new YamlLimitError(`more than ${MOST_PIECES} lines and escapes in a text`);
		}
	}

	join(): string {
		return this.#pieces.join('');
	}
}

const MOST_PIECES = 100_000;

/** Reads a plain scalar from the cursor on, over any number of lines. */
export function scanPlain(cursor: Cursor, { indent, inFlow }: ScalarContext): PlainScalar {
	const parts = new Pieces();
	let gap = '';
	let endedLine = false;
	let end = cursor.at;
	for (;;) {
		const start = cursor.at;
		end = skipPlainLine(cursor, inFlow) ?? end;
		if (end > start) {
			parts.push(gap);
			parts.push(cursor.text.slice(start, end));
			endedLine = false;
		}
		if (!isBreak(cursor.code())) break;
		gap = skipGap(cursor, indent + 1);
		endedLine = true;
		if ((!inFlow && cursor.column <= indent) || cursor.isAtDocumentIndicator() || cursor.is('#')) break;
	}
	return { value: parts.join(), end, endedLine };
}

/** Passes over the rest of a line as far as it belongs to a plain scalar; returns where its last word ends. */
function skipPlainLine(cursor: Cursor, inFlow: boolean): number | undefined {
	let end: number | undefined;
	for (;;) {
		const code = cursor.code();
		if (isBlank(code)) {
			cursor.at++;
			if (cursor.code() === HASH) return end;
			continue;
		}
		if (isBreakOrEnd(code)) return end;
		if (code === COLON && isBlankOrEnd(cursor.code(1))) return end;
		if (inFlow && FLOW_INDICATORS.has(code)) return end;
		cursor.at++;
		end = cursor.at;
	}
}

const TAB = 0x09;
const HASH = 0x23;
const COLON = 0x3a;

/** `,`, `?`, `[`, `]`, `{` and `}`. */
const FLOW_INDICATORS: ReadonlySet<number> = new Set([0x2c, 0x3f, 0x5b, 0x5d, 0x7b, 0x7d]);

/**
 * Passes over the line breaks between two lines of a scalar and the blanks around them. Returns what they
 * are folded to: one break to a blank, more of them to one less. Tabs may not stand for indentation, which
 * is the first `indented` columns of a line.
 */
function skipGap(cursor: Cursor, indented: number): string {
	const first = cursor.readBreak();
	const others = skipLines(cursor, indented);
	if (first !== '\n') return first + others;
	return others === '' ? ' ' : others;
}

/** Passes over empty lines and the blanks before the next word; returns the breaks. */
function skipLines(cursor: Cursor, indented: number): string {
	const breaks = new Pieces();
	for (;;) {
		const code = cursor.code();
		if (isBreak(code)) breaks.push(cursor.readBreak());
		else if (!isBlank(code)) return breaks.join();
		else if (code === TAB && cursor.column < indented) {
			throw cursor.error('found a tab character that violates indentation');
		} else cursor.at++;
	}
}

/** Reads a scalar in single or double quotes, at the first of which the cursor stands. */
export function scanQuoted(cursor: Cursor): string {
	const quote = cursor.code();
	cursor.at++;
	const parts = new Pieces();
	for (;;) {
		if (cursor.isAtDocumentIndicator()) throw cursor.error('found unexpected document indicator');
		const end =
			quote === SINGLE_QUOTE ? scanSingleQuotedLine(cursor, parts) : scanDoubleQuotedLine(cursor, parts);
		if (end === 'quote') break;
		if (end === 'break') parts.push(skipGap(cursor, 0));
	}
	cursor.at++;
	return parts.join();
}

/** What ends a line of a quoted scalar; an escaped break has been passed over. */
type LineEnd = 'quote' | 'break' | 'escaped break';

const SINGLE_QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;

function scanSingleQuotedLine(cursor: Cursor, parts: Pieces): LineEnd {
	let start = cursor.at;
	let solid = start;
	for (;;) {
		const code = cursor.code();
		if (code === SINGLE_QUOTE) {
			parts.push(cursor.text.slice(start, cursor.at));
			if (cursor.code(1) !== SINGLE_QUOTE) return 'quote';
			start = cursor.at + 1;
			cursor.at += 2;
			solid = cursor.at;
		} else if (isBreakOrEnd(code)) {
			parts.push(cursor.text.slice(start, solid));
			return endOfLine(cursor);
		} else {
			cursor.at++;
			if (!isBlank(code)) solid = cursor.at;
		}
	}
}

/** Blanks at the end of a line do not count, unless an escape follows them. */
function scanDoubleQuotedLine(cursor: Cursor, parts: Pieces): LineEnd {
	let start = cursor.at;
	let solid = start;
	for (;;) {
		const code = cursor.code();
		if (code === DOUBLE_QUOTE) {
			parts.push(cursor.text.slice(start, cursor.at));
			return 'quote';
		}
		if (code === BACKSLASH) {
			parts.push(cursor.text.slice(start, cursor.at));
			if (isBreak(cursor.code(1))) {
				cursor.at++;
				cursor.readBreak();
				parts.push(skipLines(cursor, 0));
				return 'escaped break';
			}
			parts.push(scanEscape(cursor));
			start = cursor.at;
			solid = start;
		} else if (isBreakOrEnd(code)) {
			parts.push(cursor.text.slice(start, solid));
			return endOfLine(cursor);
		} else {
			cursor.at++;
			if (!isBlank(code)) solid = cursor.at;
		}
	}
}

function endOfLine(cursor: Cursor): LineEnd {
	if (Number.isNaN(cursor.code())) throw cursor.error('found unexpected end of stream');
	return 'break';
}

const ESCAPES: ReadonlyMap<string, string> = new Map(
	Object.entries({
		'0': '\0',
		a: '\x07',
		b: '\b',
		t: '\t',
		'\t': '\t',
		n: '\n',
		v: '\v',
		f: '\f',
		r: '\r',
		e: '\x1b',
		' ': ' ',
		'"': '"',
		"'": "'",
		'\\': '\\',
		N: '\x85',
		_: '\xa0',
		L: '\u2028',
		P: '\u2029',
	}),
);

const CODE_LENGTHS: ReadonlyMap<string, number> = new Map(Object.entries({ x: 2, u: 4, U: 8 }));

function scanEscape(cursor: Cursor): string {
	const char = cursor.text[cursor.at + 1] ?? '';
	const escaped = ESCAPES.get(char);
	const length = CODE_LENGTHS.get(char);
	if (escaped === undefined && length === undefined) throw cursor.error('found unknown escape character');
	cursor.at += 2;
	if (length === undefined) return escaped ?? '';
	let code = 0;
	for (let index = 0; index < length; index++) {
		const digit = hexDigit(cursor.code(index));
		if (digit < 0) throw cursor.error('did not find expected hexdecimal number');
		code = code * 16 + digit;
	}
	if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
		throw cursor.error('found invalid Unicode character escape code');
	}
	cursor.at += length;
	return String.fromCodePoint(code);
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(code: number): number {
	if (code >= 0x30 && code <= 0x39) return code - 0x30;
	const letter = code | 0x20;
	return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** What stands behind the `|` or `>` of a block scalar. */
interface BlockHeader {
	/** What becomes of the line breaks at the end: one is kept, none (`-`), or all (`+`). */
	readonly chomping: 'clip' | 'strip' | 'keep';
	/** The indentation that is given as a digit; 0 where the first line says it. */
	readonly increment: number;
}

/** Reads a block scalar, at whose `|` or `>` the cursor stands. */
export function scanBlock(cursor: Cursor, parentIndent: number): string {
	const isLiteral = cursor.is('|');
	cursor.at++;
	const { chomping, increment } = scanBlockHeader(cursor);
	const given = increment === 0 ? 0 : Math.max(parentIndent, 0) + increment;
	const leading = scanBlockBreaks(cursor, { indent: given, least: Math.max(parentIndent + 1, 1) });
	const { indent } = leading;
	const parts = new Pieces();
	let lineBreak = '';
	let breaks = leading.breaks;
	let wasIndented = false;
	while (cursor.column === indent && !Number.isNaN(cursor.code())) {
		const isIndented = isBlank(cursor.code());
		// Lines that are indented deeper keep their breaks, so that they look as they were written.
		const folds = !isLiteral && !wasIndented && !isIndented && lineBreak === '\n';
		if (!folds) parts.push(lineBreak);
		else if (breaks === '') parts.push(' ');
		parts.push(breaks);
		wasIndented = isIndented;
		const start = cursor.at;
		while (!isBreakOrEnd(cursor.code())) cursor.at++;
		parts.push(cursor.text.slice(start, cursor.at));
		lineBreak = isBreak(cursor.code()) ? cursor.readBreak() : '';
		breaks = scanBlockBreaks(cursor, { indent, least: indent }).breaks;
	}
	if (chomping !== 'strip') parts.push(lineBreak);
	if (chomping === 'keep') parts.push(breaks);
	return parts.join();
}

function scanBlockHeader(cursor: Cursor): BlockHeader {
	let chomping = scanChomping(cursor);
	const increment = scanIncrement(cursor);
	chomping ??= increment === 0 ? undefined : scanChomping(cursor);
	cursor.skipBlanks();
	cursor.skipComment();
	if (!isBreakOrEnd(cursor.code())) throw cursor.error('did not find expected comment or line break');
	if (isBreak(cursor.code())) cursor.readBreak();
	return { chomping: chomping ?? 'clip', increment };
}

function scanChomping(cursor: Cursor): BlockHeader['chomping'] | undefined {
	if (!cursor.is('+') && !cursor.is('-')) return undefined;
	const chomping = cursor.is('+') ? 'keep' : 'strip';
	cursor.at++;
	return chomping;
}

function scanIncrement(cursor: Cursor): number {
	const increment = cursor.code() - 0x30;
	if (!(increment >= 0 && increment <= 9)) return 0;
	if (increment === 0) throw cursor.error('found an indentation indicator equal to 0');
	cursor.at++;
	return increment;
}

/**
 * Passes over empty lines and the indentation of the next one. An `indent` of 0 is not known yet: it is
 * what the deepest of these lines has, and `least` at least.
 */
function scanBlockBreaks(
	cursor: Cursor,
	{ indent, least }: { readonly indent: number; readonly least: number },
): { readonly breaks: string; readonly indent: number } {
	let breaks = '';
	let deepest = 0;
	for (;;) {
		while ((indent === 0 || cursor.column < indent) && cursor.is(' ')) cursor.at++;
		deepest = Math.max(deepest, cursor.column);
		if ((indent === 0 || cursor.column < indent) && cursor.is('\t')) {
			throw cursor.error('found a tab character where an indentation space is expected');
		}
		if (!isBreak(cursor.code())) break;
		breaks += cursor.readBreak();
	}
	return { breaks, indent: indent === 0 ? Math.max(deepest, least) : indent };
}
