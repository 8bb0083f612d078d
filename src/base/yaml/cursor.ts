/** A position in a YAML text. */
export interface Mark {
	/** In UTF-16 units from the start of the text. */
	readonly offset: number;
	/** Counted from 0. */
	readonly line: number;
	/** Counted from 0, in UTF-16 units. */
	readonly column: number;
}

/** The text is not YAML, or its values cannot be represented in JSON. */
export class YamlError extends SyntaxError {
	override readonly name = 'YamlError';
	/** The reason, without the position. */
	readonly problem: string;
	/** Undefined for errors that have no position in go-yaml. */
	readonly mark: Mark | undefined;

	/** `line` is the line number in the message: go-yaml counts lines from 0 in some errors, from 1 in others. */
	constructor(problem: string, mark?: Mark, line = 0) {
		super(`yaml: ${line === 0 ? '' : `line ${line}: `}${problem}`);
		this.problem = problem;
		this.mark = mark;
	}
}

/** The text exceeds one of the reader's limits. */
export class YamlLimitError extends Error {
	override readonly name = 'YamlLimitError';
}

/** A position that moves through a text and counts lines and columns, as libyaml's reader does. */
export class Cursor {
	readonly text: string;
	at = 0;
	line = 0;
	#lineStart = 0;

	constructor(text: string) {
		this.text = text;
		if (text.charCodeAt(0) === BYTE_ORDER_MARK) this.#lineStart = this.at = 1;
	}

	get column(): number {
		return this.at - this.#lineStart;
	}

	get mark(): Mark {
		return { offset: this.at, line: this.line, column: this.column };
	}

	/** The UTF-16 unit `ahead` units behind the cursor; NaN beyond the end of the text. */
	code(ahead = 0): number {
		return this.text.charCodeAt(this.at + ahead);
	}

	/** Whether the unit at the cursor is `char`. */
	is(char: string): boolean {
		return this.text[this.at] === char;
	}

	/** Moves past a line break; returns the break as it appears in the value of a scalar. */
	readBreak(): string {
		const code = this.code();
		this.at += code === CR && this.code(1) === LF ? 2 : 1;
		this.line++;
		this.#lineStart = this.at;
		return code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR ? String.fromCharCode(code) : '\n';
	}

	/**
	 * Moves past spaces, comments and line breaks; returns whether a line ended. Tabs are skipped inside
	 * brackets, and outside them only where no key can start, because YAML forbids tabs as indentation.
	 */
	skipToContent({
		inFlow,
		simpleKeyAllowed,
	}: {
		readonly inFlow: boolean;
		readonly simpleKeyAllowed: boolean;
	}): boolean {
		const { text } = this;
		let skipsTabs = inFlow || !simpleKeyAllowed;
		let endedLine = false;
		for (;;) {
			let code = text.charCodeAt(this.at);
			while (code === 0x20 || (code === 0x09 && skipsTabs)) code = text.charCodeAt(++this.at);
			if (code === HASH) {
				while (!isBreakOrEnd(code)) code = text.charCodeAt(++this.at);
			}
			if (!isBreak(code)) return endedLine;
			this.readBreak();
			endedLine = true;
			skipsTabs = inFlow;
		}
	}

	/** Counts the last line as ended if the text does not end with a line break. */
	endLine(): void {
		if (this.column === 0) return;
		this.line++;
		this.#lineStart = this.at;
	}

	skipBlanks(): void {
		while (isBlank(this.code())) this.at++;
	}

	skipComment(): void {
		if (!this.is('#')) return;
		while (!isBreakOrEnd(this.code())) this.at++;
	}

	/** Whether the cursor is at `---` or `...` at the start of a line. */
	isAtDocumentIndicator(): boolean {
		if (this.column !== 0) return false;
		const code = this.code();
		if (code !== DASH && code !== POINT) return false;
		return code === this.code(1) && code === this.code(2) && isBlankOrEnd(this.code(3));
	}

	/** A scanner's error at this position. */
	error(problem: string): YamlError {
		return new YamlError(problem, this.mark, this.line === 0 ? 0 : this.line + 1);
	}
}

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;
const HASH = 0x23;
const DASH = 0x2d;
const POINT = 0x2e;
const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;

/** Whether `code` is a line break of YAML 1.1: LF, CR, NEL, LINE SEPARATOR or PARAGRAPH SEPARATOR. */
export function isBreak(code: number): boolean {
	return (
		code === LF || code === CR || code === 0x85 || code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR
	);
}

/** Whether `code` is a space or a tab. */
export function isBlank(code: number): boolean {
	return code === 0x20 || code === 0x09;
}

/** Whether `code` is a line break, or the cursor is at the end of the text. */
export function isBreakOrEnd(code: number): boolean {
	return isBreak(code) || Number.isNaN(code);
}

/** Whether `code` is a space, a tab, a line break or the end of the text. */
export function isBlankOrEnd(code: number): boolean {
	return isBlank(code) || isBreakOrEnd(code);
}

/**
 * Whether `code` may occur in the name of an anchor, a directive or a tag handle: a letter, a digit, `_` or
 * `-`.
 */
export function isWordCharacter(code: number): boolean {
	return (
		(code >= 0x61 && code <= 0x7a) ||
		(code >= 0x41 && code <= 0x5a) ||
		(code >= 0x30 && code <= 0x39) ||
		code === 0x5f ||
		code === DASH
	);
}
