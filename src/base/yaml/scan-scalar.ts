import { type Cursor, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, YamlLimitError } from './cursor.ts';

/** The style of a scalar. Only a plain scalar without a tag can be a number, a boolean or null. */
export type ScalarStyle = 'plain' | 'quoted' | 'block';

/** The context in which a scalar stands. */
export interface ScalarContext {
	/** The indentation of the enclosing block, -1 at the top. */
	readonly indent: number;
	/** Whether the scalar is inside brackets or braces. */
	readonly inFlow: boolean;
}

/** A plain scalar, and whether the scanner skipped line breaks behind it. */
export interface PlainScalar {
	readonly value: string;
	/** The end of its last character, in UTF-16 units. */
	readonly end: number;
	/** Whether a line ended behind it, so that a key can follow. */
	readonly endedLine: boolean;
}

/**
 * The lines and escapes of which a scalar consists. Their number is limited, because a text of 3 MB can
 * contain a million of them. The limit affects no real file: of a text that fits into a ConfigMap, the pieces
 * would be ten characters long.
 */
class Pieces {
	readonly #pieces: string[] = [];

	push(piece: string): void {
		if (piece === '') return;
		if (this.#pieces.push(piece) > MAX_PIECES) {
			throw new YamlLimitError(`more than ${MAX_PIECES} lines and escapes in a text`);
		}
	}

	join(): string {
		return this.#pieces.join('');
	}
}

const MAX_PIECES = 100_000;

/** Reads a plain scalar, which may span several lines; the cursor is at its start. */
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

/**
 * Moves past the part of a line that belongs to a plain scalar; returns the end of its last word. Most texts
 * are scanned here, and one line may have 3 MB, so letters and digits pass with two comparisons.
 */
function skipPlainLine(cursor: Cursor, inFlow: boolean): number | undefined {
	const { text } = cursor;
	// Spaces belong to the scalar only if a word follows them, so the end moves with each word.
	let end: number | undefined;
	for (let at = cursor.at; ; ) {
		const start = at;
		while (isPlainAnywhere(text.charCodeAt(at))) at++;
		if (at > start) end = at;
		cursor.at = at;
		const code = text.charCodeAt(at);
		if (isBlank(code)) {
			cursor.at = ++at;
			if (text.charCodeAt(at) === HASH) return end;
			continue;
		}
		if (isBreakOrEnd(code)) return end;
		if (code === COLON && isBlankOrEnd(text.charCodeAt(at + 1))) return end;
		if (inFlow && isFlowIndicator(code)) return end;
		end = ++at;
	}
}

/** Whether no rule of plain scalars treats `code` specially: an ASCII character from `@` to `z` but brackets, or a digit. */
function isPlainAnywhere(code: number): boolean {
	if (code < 0x40) return code >= 0x30 && code < COLON;
	return code <= 0x7a && code !== OPEN_BRACKET && code !== CLOSE_BRACKET;
}

const TAB = 0x09;
const HASH = 0x23;
const COLON = 0x3a;

/** Whether `code` is `,`, `?`, `[`, `]`, `{` or `}`. A Set takes ten times as long for a line of 3 MB. */
function isFlowIndicator(code: number): boolean {
	return (
		code === COMMA ||
		code === QUESTION_MARK ||
		code === OPEN_BRACKET ||
		code === CLOSE_BRACKET ||
		code === OPEN_BRACE ||
		code === CLOSE_BRACE
	);
}

const COMMA = 0x2c;
const QUESTION_MARK = 0x3f;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Moves past the line breaks between two lines of a scalar and the spaces around them. Returns the folded
 * text: a space for one break, and n - 1 breaks for n. Throws for a tab in the first `indented` columns of a
 * line, since YAML forbids tabs as indentation.
 */
function skipGap(cursor: Cursor, indented: number): string {
	const first = cursor.readBreak();
	const others = skipLines(cursor, indented);
	if (first !== '\n') return first + others;
	return others === '' ? ' ' : others;
}

/** Moves past empty lines and the spaces before the next word; returns the breaks. */
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

/** Reads a scalar in single or double quotes; the cursor is at the opening quote. */
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

/** The end of a line of a quoted scalar. The cursor is behind an escaped break, and before the other two. */
type LineEnd = 'quote' | 'break' | 'escaped break';

const SINGLE_QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Reads one line. The only escape is a doubled quote. */
function scanSingleQuotedLine(cursor: Cursor, parts: Pieces): LineEnd {
	let start = cursor.at;
	let textEnd = start;
	for (;;) {
		const code = cursor.code();
		if (code === SINGLE_QUOTE) {
			parts.push(cursor.text.slice(start, cursor.at));
			if (cursor.code(1) !== SINGLE_QUOTE) return 'quote';
			start = cursor.at + 1;
			cursor.at += 2;
			textEnd = cursor.at;
		} else if (isBreakOrEnd(code)) {
			parts.push(cursor.text.slice(start, textEnd));
			return endOfLine(cursor);
		} else {
			cursor.at++;
			if (!isBlank(code)) textEnd = cursor.at;
		}
	}
}

/** Reads one line. Spaces at its end are dropped, unless they precede an escaped line break. */
function scanDoubleQuotedLine(cursor: Cursor, parts: Pieces): LineEnd {
	let start = cursor.at;
	let textEnd = start;
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
			textEnd = start;
		} else if (isBreakOrEnd(code)) {
			parts.push(cursor.text.slice(start, textEnd));
			return endOfLine(cursor);
		} else {
			cursor.at++;
			if (!isBlank(code)) textEnd = cursor.at;
		}
	}
}

function endOfLine(cursor: Cursor): LineEnd {
	if (Number.isNaN(cursor.code())) throw cursor.error('found unexpected end of stream');
	return 'break';
}

/**
 * The escapes of one character (YAML 1.1, section 5.6). go-yaml also accepts `\'`, which the specification
 * lacks.
 */
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

/** The number of hexadecimal digits behind `\x`, `\u` and `\U`. */
const CODE_LENGTHS: ReadonlyMap<string, number> = new Map(Object.entries({ x: 2, u: 4, U: 8 }));

/** Reads an escape; the cursor is at its backslash. Lone surrogates are errors, as in go-yaml. */
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

/** The indicators behind the `|` or `>` of a block scalar. */
interface BlockHeader {
	/** The number of final line breaks in the value: one by default, none for `-`, all for `+`. */
	readonly chomping: 'clip' | 'strip' | 'keep';
	/** The explicit indentation; 0 if the first line determines it. */
	readonly increment: number;
}

/** Reads a block scalar; the cursor is at its `|` or `>`. */
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
		// In a folded scalar, YAML preserves the line breaks around lines that are indented deeper.
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

/** Reads the indicators, which may come in either order, and the rest of their line. */
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
 * Moves past empty lines and the indentation of the next line. An `indent` of 0 means that the indentation is
 * not known yet; it becomes the greatest indentation of these lines, but not less than `least`.
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
