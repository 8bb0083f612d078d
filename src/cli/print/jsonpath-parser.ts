import { type Int64, parseInt64 } from '../../base/json/json.ts';
/**
 * The parser of `-o jsonpath` templates in kubectl's dialect (k8s.io/client-go/util/jsonpath): text with
 * actions in braces, which contain paths, quoted text, or `range … end`. Own code: the JSONPath packages of
 * npm implement another language (no templates and ranges, other filters), and jsonpath-plus evaluates
 * filters as JavaScript.
 */

/** One piece of a template. */
export type Piece =
	| { readonly type: 'text'; readonly text: string }
	/** Prints the values that the path finds. */
	| { readonly type: 'path'; readonly path: Path }
	/** Prints the pieces once for each value that the path finds. */
	| { readonly type: 'range'; readonly path: Path; readonly body: readonly Piece[] };

/** Steps from the current value (`@`), or, if `absolute`, from the root object (`$`). */
export interface Path {
	readonly absolute: boolean;
	readonly steps: readonly Step[];
}

/** One step of a path. */
export type Step =
	| { readonly type: 'field'; readonly name: string }
	/** Every value of a map or list. */
	| { readonly type: 'all' }
	/** Recursive descent: the value itself and everything below it. */
	| { readonly type: 'descend' }
	/** Items `begin` (included) to `end` (excluded); negative ones count from the end of the list. */
	| { readonly type: 'slice'; readonly begin?: number; readonly end?: number; readonly step: number }
	| { readonly type: 'index'; readonly index: number }
	| { readonly type: 'filter'; readonly left: Operand; readonly operator: Operator; readonly right: Operand }
	/** The results of several steps, concatenated. */
	| { readonly type: 'union'; readonly steps: readonly Step[] };

/** One side of a comparison in a filter. A filter with one side tests whether it finds a value. */
export type Operand =
	| { readonly type: 'path'; readonly path: Path }
	| { readonly type: 'value'; readonly value: string | Int64 | boolean | undefined };

/** The comparison of a filter. */
export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'exists';

/** The template or path has a syntax error; the message is kubectl's where kubectl has one. */
export class JsonPathError extends Error {
	override readonly name = 'JsonPathError';
}

/** Parses a template. Throws a {@link JsonPathError}. */
export function parseTemplate(template: string): readonly Piece[] {
	return parsePieces(tokens(template), false);
}

/**
 * Parses a path of custom columns, in which braces and the leading dot are optional. Throws a
 * {@link JsonPathError}.
 */
export function parseRelaxedPath(text: string): Path {
	const bare = text.replace(/^\{(.*)\}$/s, '$1');
	return new PathReader(/^[.[$@]/.test(bare) ? bare : `.${bare}`).whole();
}

/** A template is split at its braces first: text outside of them has no syntax at all. */
type Token = { readonly type: 'text' | 'action'; readonly text: string };

/** Newlines in the text of a template are printed; those around the content of an action are not. */
function tokens(template: string): Token[] {
	const found: Token[] = [];
	let rest = template;
	for (let open = rest.indexOf('{'); open >= 0; open = rest.indexOf('{')) {
		if (open > 0) found.push({ type: 'text', text: rest.slice(0, open) });
		const close = endOfAction(rest, open);
		found.push({ type: 'action', text: rest.slice(open + 1, close).trim() });
		rest = rest.slice(close + 1);
	}
	if (rest !== '') found.push({ type: 'text', text: rest });
	return found;
}

/** The index of the brace that closes the action at `open`, skipping quoted text. */
function endOfAction(text: string, open: number): number {
	let quote = '';
	for (let i = open + 1; i < text.length; i++) {
		const char = text[i] ?? '';
		if (char === '\\') i++;
		else if (quote !== '') quote = char === quote ? '' : quote;
		else if (char === '"' || char === "'") quote = char;
		else if (char === '}') return i;
	}
	throw new JsonPathError('unclosed action');
}

/**
 * Parses tokens up to the end of the template or, `inRange`, up to the `{end}` of the range, which it
 * consumes.
 */
function parsePieces(rest: Token[], inRange: boolean): readonly Piece[] {
	const pieces: Piece[] = [];
	for (let token = rest.shift(); token; token = rest.shift()) {
		if (token.type === 'text') {
			pieces.push({ type: 'text', text: token.text });
			continue;
		}
		if (token.text === 'end') {
			if (!inRange) throw new JsonPathError('not in range, nothing to end');
			return pieces;
		}
		const range = /^range\s+(.*)$/s.exec(token.text);
		if (range?.[1] !== undefined) {
			const path = new PathReader(range[1]).whole();
			pieces.push({ type: 'range', path, body: parsePieces(rest, true) });
		} else pieces.push(...parseAction(token.text));
	}
	if (inRange) throw new JsonPathError('unclosed range: {end} is missing');
	return pieces;
}

/** Parses an action: one or more paths and quoted texts. */
function parseAction(text: string): readonly Piece[] {
	const reader = new PathReader(text);
	const pieces: Piece[] = [];
	while (!reader.atEnd()) {
		const quoted = reader.quoted();
		pieces.push(
			quoted === undefined ? { type: 'path', path: reader.path() } : { type: 'text', text: quoted },
		);
		reader.skipBlanks();
	}
	return pieces;
}

/** The longer operators first. All three are sticky: they match at the reader's position only. */
const OPERATOR = /==|!=|<=|>=|<|>/y;
const NAME = /(?:\\.|[^\s.[\]{}(),'"=!<>|&])+/y;
const NUMBER = /-?\d+(?:\.\d+)?/y;

/** A recursive-descent parser of the paths in an action. */
class PathReader {
	readonly #text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	/** Whether the whole text was read. */
	atEnd(): boolean {
		return this.#at >= this.#text.length;
	}

	/** Blanks separate the parts of an action and have no meaning. */
	skipBlanks(): void {
		while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
	}

	/** Parses the whole text as one path. */
	whole(): Path {
		const path = this.path();
		this.skipBlanks();
		if (!this.atEnd()) throw this.#unexpected();
		return path;
	}

	/** Parses steps as long as there are any. A path without `$` and `@` starts at the current value, as one with `@` does. */
	path(): Path {
		const start = this.#at;
		const absolute = this.#take('$');
		if (!absolute) this.#take('@');
		const steps: Step[] = [];
		for (;;) {
			if (this.#take('..')) steps.push({ type: 'descend' }, ...this.#nameAfterDescend());
			else if (this.#take('.')) steps.push(...this.#name());
			else if (this.#take('[')) steps.push(this.#bracket());
			else break;
		}
		if (this.#at === start) throw this.#unexpected();
		return { absolute, steps };
	}

	/** Parses a quoted text and resolves its escapes; undefined if the next character is not a quote. */
	quoted(): string | undefined {
		const quote = this.#text[this.#at];
		if (quote !== '"' && quote !== "'") return undefined;
		let value = '';
		for (let i = this.#at + 1; i < this.#text.length; i++) {
			const char = this.#text[i] ?? '';
			if (char === quote) {
				this.#at = i + 1;
				return value;
			}
			if (char === '\\') {
				i++;
				value += ESCAPES[this.#text[i] ?? ''] ?? this.#text[i] ?? '';
			} else value += char;
		}
		throw new JsonPathError('unterminated quoted string');
	}

	/** Reads `text`, if it is next. */
	#take(text: string): boolean {
		if (!this.#text.startsWith(text, this.#at)) return false;
		this.#at += text.length;
		return true;
	}

	/** Reads what the sticky pattern matches next; undefined if it matches nothing. */
	#match(pattern: RegExp): string | undefined {
		pattern.lastIndex = this.#at;
		const found = pattern.exec(this.#text)?.[0];
		if (found !== undefined) this.#at += found.length;
		return found;
	}

	/** Parses the name after a dot; a dot without a name is the current value. */
	#name(): readonly Step[] {
		const name = this.#match(NAME);
		if (name === undefined) return [];
		return [name === '*' ? { type: 'all' } : { type: 'field', name: name.replace(/\\(.)/g, '$1') }];
	}

	/** `..[0]` and `..name`: after the two dots a bracket follows directly, without a third dot. */
	#nameAfterDescend(): readonly Step[] {
		return this.#text[this.#at] === '[' ? [] : this.#name();
	}

	/** Parses after `[`: a filter, or subscripts separated by commas, which form a union. */
	#bracket(): Step {
		if (this.#take('?(')) return this.#filter();
		const steps: Step[] = [];
		do {
			this.skipBlanks();
			steps.push(this.#subscript());
			this.skipBlanks();
		} while (this.#take(','));
		if (!this.#take(']')) throw new JsonPathError('unterminated array');
		const [only] = steps;
		return steps.length === 1 && only ? only : { type: 'union', steps };
	}

	/** Parses a quoted field name, `*`, an index, or a slice `begin:end:step`. */
	#subscript(): Step {
		const name = this.quoted();
		if (name !== undefined) return { type: 'field', name };
		if (this.#take('*')) return { type: 'all' };
		const begin = this.#integer();
		if (!this.#take(':')) {
			if (begin === undefined) throw this.#unexpected();
			return { type: 'index', index: begin };
		}
		const end = this.#integer();
		const step = this.#take(':') ? (this.#integer() ?? 1) : 1;
		if (step < 1) throw new JsonPathError('step must be > 0');
		return { type: 'slice', step, ...(begin !== undefined && { begin }), ...(end !== undefined && { end }) };
	}

	#integer(): number | undefined {
		const text = this.#match(/-?\d+/y);
		return text === undefined ? undefined : Number(text);
	}

	#filter(): Step {
		const left = this.#operand();
		const operator = this.#operator();
		const right: Operand = operator === 'exists' ? { type: 'value', value: undefined } : this.#operand();
		this.skipBlanks();
		if (!this.#take(')]')) throw new JsonPathError('unterminated filter');
		return { type: 'filter', left, operator, right };
	}

	#operator(): Operator {
		this.skipBlanks();
		const found = this.#match(OPERATOR);
		switch (found) {
			case '==':
			case '!=':
			case '<':
			case '<=':
			case '>':
			case '>=':
				return found;
			default:
				return 'exists';
		}
	}

	/** Parses a string, number, boolean or path. Integers keep 64 bits, as in objects. */
	#operand(): Operand {
		this.skipBlanks();
		const text = this.quoted();
		if (text !== undefined) return { type: 'value', value: text };
		const number = this.#match(NUMBER);
		if (number !== undefined) return { type: 'value', value: parseInt64(number) ?? Number(number) };
		const word = this.#match(/true|false/y);
		if (word !== undefined) return { type: 'value', value: word === 'true' };
		return { type: 'path', path: this.path() };
	}

	/** kubectl's error for a character that starts no step; it has none for the end of the text. */
	#unexpected(): JsonPathError {
		const char = this.#text[this.#at];
		return new JsonPathError(
			char === undefined ? 'unexpected end' : `unrecognized character in action: ${JSON.stringify(char)}`,
		);
	}
}

/** Other escaped characters stand for themselves. */
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };
