/** A place in a YAML text. */
export interface Mark {
	/** In UTF-16 units from the beginning. */
	readonly offset: number;
	/** From 0. */
	readonly line: number;
	/** From 0. */
	readonly column: number;
}

/** The text is not YAML, or not YAML that has a meaning as JSON. */
export class YamlError extends SyntaxError {
	override readonly name = 'YamlError';
	/** What is wrong, without the place. */
	readonly problem: string;
	/** Undefined for what has no place in go-yaml's errors. */
	readonly mark: Mark | undefined;

	/** `line` is what the message calls the place: go-yaml counts lines from 0 in some errors, from 1 in others. */
	constructor(problem: string, mark?: Mark, line = 0) {
		super(`yaml: ${line === 0 ? '' : `line ${line}: `}${problem}`);
		this.problem = problem;
		this.mark = mark;
	}
}

/** The text has more in it than the reader was told to accept. */
export class YamlLimitError extends Error {
	override readonly name = 'YamlLimitError';
}

/** Reads a text character by character, and knows the line and column it is at. */
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

	/** The UTF-16 unit `ahead` of the cursor; NaN beyond the end. */
	code(ahead = 0): number {
		return this.text.charCodeAt(this.at + ahead);
	}

	/** Whether the unit at the cursor is `char`. */
	is(char: string): boolean {
		return this.text[this.at] === char;
	}

	/** Passes over a line break, and returns what a scalar keeps of it. */
	readBreak(): string {
		const code = this.code();
		this.at += code === CR && this.code(1) === LF ? 2 : 1;
		this.line++;
		this.#lineStart = this.at;
		return code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR ? String.fromCharCode(code) : '\n';
	}

	/**
	 * Passes over blanks, comments and line breaks; returns whether a line ended. A tab is passed over in
	 * brackets, and otherwise where no key may begin: it is no indentation.
	 */
	skipToContent({
		inFlow,
		mayBeginKey,
	}: {
		readonly inFlow: boolean;
		readonly mayBeginKey: boolean;
	}): boolean {
		const { text } = this;
		let skipsTabs = inFlow || !mayBeginKey;
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

	/** Ends the last line of a text that has no line break there. */
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

	/** Whether `---` or `...` stands here at the beginning of a line. */
	isAtDocumentIndicator(): boolean {
		if (this.column !== 0) return false;
		const code = this.code();
		if (code !== DASH && code !== POINT) return false;
		return code === this.code(1) && code === this.code(2) && isBlankOrEnd(this.code(3));
	}

	/** The error of a scanner that cannot continue at this place. */
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

/** What ends a line: line feed, carriage return, and three that Unicode adds. */
export function isBreak(code: number): boolean {
	return (
		code === LF || code === CR || code === 0x85 || code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR
	);
}

/** A blank or a tab. */
export function isBlank(code: number): boolean {
	return code === 0x20 || code === 0x09;
}

/** What ends a line, or the end of the text. */
export function isBreakOrEnd(code: number): boolean {
	return isBreak(code) || Number.isNaN(code);
}

/** What ends a word. */
export function isBlankOrEnd(code: number): boolean {
	return isBlank(code) || isBreakOrEnd(code);
}

/** A letter, a digit, `_` or `-`: what names of anchors, directives and tag handles are made of. */
export function isWordCharacter(code: number): boolean {
	return (
		(code >= 0x61 && code <= 0x7a) ||
		(code >= 0x41 && code <= 0x5a) ||
		(code >= 0x30 && code <= 0x39) ||
		code === 0x5f ||
		code === DASH
	);
}
