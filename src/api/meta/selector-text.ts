/**
 * Parses label selectors of queries and of the command line: `a=b`, `a==b`, `a!=b`, `a in (x,y)`, `a notin
 * (x)`, `a`, `!a`, `a>1`, `a<1`, joined by commas. The parser follows upstream's
 * (k8s.io/apimachinery/pkg/labels) token by token, so that its errors are the same.
 */

import { type ApiError, badRequest } from '../errors/api-error.ts';
import { fieldInvalid } from '../errors/field-errors.ts';
import { type FieldError, FieldPath } from '../errors/field-path.ts';
import { labelValue, qualifiedName } from './names.ts';
import { byKey, EVERYTHING, isWholeNumber, type Requirement, type Selector, sortedSet } from './selector.ts';

/** Parses a selector; an empty text selects everything. Throws BadRequest with upstream's message. */
export function parseSelector(text: string): Selector {
	if (text === '') return EVERYTHING;
	return byKey(parse(new Tokens(text)));
}

type Kind = ')' | ',' | '!' | '==' | '=' | '>' | '<' | '!=' | '(' | 'in' | 'notin' | 'word' | 'end' | 'error';

interface Token {
	readonly kind: Kind;
	readonly text: string;
}

const SYMBOLS: readonly Kind[] = ['==', '!=', ')', ',', '!', '=', '>', '<', '('];
const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt';

/** A cursor over the tokens of a text. `in` and `notin` are keywords only in the position of an operator. */
class Tokens {
	readonly #items: readonly Token[];
	#position = 0;

	constructor(text: string) {
		this.#items = tokenise(text);
	}

	/** Returns the next token, with keywords as words, without consuming it. */
	peek(): Token {
		return asWord(this.#items[this.#position] ?? END);
	}

	/** Consumes and returns the next token, with keywords as words. */
	next(): Token {
		return asWord(this.nextOperator());
	}

	/** Consumes and returns the next token in the position of an operator: keywords are operators. */
	nextOperator(): Token {
		const token = this.#items[this.#position] ?? END;
		this.#position++;
		return token;
	}
}

const END: Token = { kind: 'end', text: '' };

function asWord(token: Token): Token {
	return token.kind === 'in' || token.kind === 'notin' ? { kind: 'word', text: token.text } : token;
}

/** Splits the text into words and symbols. Whitespace separates tokens and has no other meaning. */
function tokenise(text: string): readonly Token[] {
	const tokens: Token[] = [];
	for (const [part] of text.matchAll(/[=!(),><]+|[^=!(),><\s]+/g)) {
		if (/^[=!(),><]/.test(part)) tokens.push(...symbols(part));
		else tokens.push({ kind: part === 'in' || part === 'notin' ? part : 'word', text: part });
	}
	return tokens;
}

/** Splits a run of symbol characters into tokens, each the longest symbol that matches. */
function symbols(run: string): readonly Token[] {
	const tokens: Token[] = [];
	let rest = run;
	while (rest !== '') {
		const symbol = SYMBOLS.find((each) => rest.startsWith(each)) ?? 'error';
		tokens.push({ kind: symbol, text: symbol });
		rest = rest.slice(symbol.length);
	}
	return tokens;
}

/** A comma-separated list of requirements. A comma at the end is an error, as upstream. */
function parse(tokens: Tokens): readonly Requirement[] {
	const requirements: Requirement[] = [];
	for (;;) {
		const first = tokens.peek();
		if (first.kind === 'end') return requirements;
		if (first.kind !== 'word' && first.kind !== '!') {
			throw badRequest(`found '${first.text}', expected: !, identifier, or 'end of string'`);
		}
		requirements.push(parseRequirement(tokens));
		const after = tokens.next();
		if (after.kind === 'end') return requirements;
		if (after.kind !== ',') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`);
		const following = tokens.peek();
		if (following.kind !== 'word' && following.kind !== '!') {
			throw badRequest(`found '${following.text}', expected: identifier after ','`);
		}
	}
}

/**
 * One requirement. The key is validated before the operator is read, so its error precedes that of the
 * operator.
 */
function parseRequirement(tokens: Tokens): Requirement {
	let key = tokens.next();
	const absent = key.kind === '!';
	if (absent) key = tokens.next();
	if (key.kind !== 'word') throw refused(`found '${key.text}', expected: identifier`);
	const wrong = qualifiedName(key.text);
	if (wrong.length > 0)
		throw refusedFields([fieldInvalid(new FieldPath('<nil>'), key.text, wrong.join('; '))]);
	if (absent) return checked({ key: key.text, operator: '!', values: [] });
	const after = tokens.peek();
	if (after.kind === 'end' || after.kind === ',') {
		return checked({ key: key.text, operator: 'exists', values: [] });
	}
	const operator = tokens.nextOperator();
	switch (operator.kind) {
		case 'in':
		case 'notin':
			return checked({ key: key.text, operator: operator.kind, values: sortedSet(parseValues(tokens)) });
		case '=':
		case '==':
		case '!=':
		case '>':
		case '<':
			return checked({ key: key.text, operator: operator.kind, values: [parseValue(tokens)] });
		default:
			throw refused(`found '${operator.text}', expected: ${BINARY_OPERATORS}`);
	}
}

/** The value of `=`, `!=`, `>` or `<`. It may be missing, and is then empty: `a=` selects the empty value. */
function parseValue(tokens: Tokens): string {
	const next = tokens.peek();
	if (next.kind === 'end' || next.kind === ',') return '';
	const value = tokens.next();
	if (value.kind !== 'word') throw refused(`found '${value.text}', expected: identifier`);
	return value.text;
}

/** The set of `in` or `notin` in parentheses. An empty set contains the empty value. */
function parseValues(tokens: Tokens): readonly string[] {
	const open = tokens.next();
	if (open.kind !== '(') throw refused(`found '${open.text}' expected: '('`);
	const first = tokens.peek();
	if (first.kind === ')') {
		tokens.next();
		return [''];
	}
	if (first.kind !== 'word' && first.kind !== ',') {
		throw refused(`found '${first.text}', expected: ',', ')' or identifier`);
	}
	const values = parseValueList(tokens);
	tokens.next();
	return values;
}

/**
 * Parses up to the closing parenthesis, without consuming it. A value missing beside a comma is an empty one.
 */
function parseValueList(tokens: Tokens): readonly string[] {
	const values: string[] = [];
	for (;;) {
		const token = tokens.next();
		const following = tokens.peek();
		if (token.kind === 'word') {
			values.push(token.text);
			if (following.kind === ')') return values;
			if (following.kind !== ',') throw refused(`found '${following.text}', expected: ',' or ')'`);
		} else if (token.kind === ',') {
			if (values.length === 0 || following.kind === ',') values.push('');
			if (following.kind === ')') return [...values, ''];
		} else {
			throw refused(`found '${token.text}', expected: ',', or identifier`);
		}
	}
}

/**
 * Throws unless all values are valid (upstream: NewRequirement). Values of `>` and `<` are checked as
 * integers first.
 */
function checked(requirement: Requirement): Requirement {
	const values = new FieldPath('values');
	const errors: FieldError[] = [];
	for (const [index, value] of requirement.values.entries()) {
		if ((requirement.operator === '>' || requirement.operator === '<') && !isWholeNumber(value)) {
			const text = "for 'Gt', 'Lt' operators, the value must be an integer";
			errors.push(fieldInvalid(values.index(index), value, text));
		}
	}
	for (const [index, value] of requirement.values.entries()) {
		const wrong = labelValue(value);
		if (wrong.length === 0) continue;
		errors.push(fieldInvalid(values.index(index).key(requirement.key), value, wrong.join('; ')));
	}
	if (errors.length > 0) throw refusedFields(errors);
	return requirement;
}

function refused(text: string): ApiError {
	return badRequest(`unable to parse requirement: ${text}`);
}

function refusedFields(errors: readonly FieldError[]): ApiError {
	const texts = errors.map((error) => `${error.field}: ${error.message}`);
	return refused(texts.length === 1 ? texts.join('') : `[${texts.join(', ')}]`);
}
