/**
 * Splits a YAML 1.1 text into tokens by the rules of libyaml (scanner.c), of which go-yaml is a port. Changes
 * of the indentation become tokens too: `block-map-start`, `block-seq-start` and `block-end`.
 *
 * The scanner recognizes a key only at the colon behind it. So it holds back each token that may start a key
 * (libyaml calls it a simple key) until the colon, the end of the line, or 1024 characters.
 */

import { Cursor, isBlankOrEnd, type Mark } from './cursor.ts';
import { scanBlock, scanPlain, scanQuoted } from './scan-scalar.ts';
import { scanAnchor, scanDirective, scanTag } from './scan-word.ts';
import type { Token, TokenType } from './token.ts';

/** A token that may turn out to start a key. */
interface SimpleKey {
	/** The number of tokens before it. */
	readonly token: number;
	/** Whether a missing colon is an error, because only a key can stand in this column of the block. */
	readonly required: boolean;
	readonly mark: Mark;
}

/** An open bracket, or the block around all brackets. */
interface Level {
	/** The possible key whose colon may follow; undefined if there is none. */
	key: SimpleKey | undefined;
	/** The number of the token of the last possible key, or of the bracket. */
	lastSaved: number;
}

/** Maximum distance of the colon from the start of its key, in characters, as in libyaml. */
const MAX_SIMPLE_KEY_LENGTH = 1024;

/** See the header. */
export class Scanner {
	readonly #cursor: Cursor;
	readonly #maxDepth: number;
	/** The tokens; those before `#head` have been taken. */
	#tokens: Token[] = [];
	#head = 0;
	#taken = 0;
	/** The columns of the outer open blocks; `#indent` is the column of the innermost. */
	readonly #indents: number[] = [];
	#indent = -1;
	/** One level for the block, and one for each open bracket in it. */
	readonly #levels: Level[] = [{ key: undefined, lastSaved: 0 }];
	/** The possible keys by the number of their token. */
	readonly #keyTokens = new Map<number, SimpleKey>();
	#simpleKeyAllowed = true;
	#isOver = false;

	constructor(text: string, maxDepth: number) {
		this.#cursor = new Cursor(text);
		this.#maxDepth = maxDepth;
	}

	/** The end of the scanned part of the text, in UTF-16 units. */
	get offset(): number {
		return this.#cursor.at;
	}

	/** The next token, without taking it. Throws a YamlError. */
	peek(): Token {
		while (this.#needsMore()) this.#scan();
		const token = this.#tokens[this.#head];
		if (token === undefined) throw new Error('a scanner ends with stream-end');
		return token;
	}

	/** Removes the token that `peek` returned. */
	take(): void {
		this.#head++;
		this.#taken++;
		if (this.#head === this.#tokens.length) {
			this.#tokens = [];
			this.#head = 0;
		}
	}

	#needsMore(): boolean {
		if (this.#head === this.#tokens.length) return !this.#isOver;
		const key = this.#keyTokens.get(this.#taken);
		return key !== undefined && this.#isSimpleKeyValid(key);
	}

	/** Whether the colon of a possible key can still follow. Throws if it cannot and the key is required. */
	#isSimpleKeyValid(key: SimpleKey): boolean {
		const { line, at } = this.#cursor;
		if (key.mark.line === line && key.mark.offset + MAX_SIMPLE_KEY_LENGTH >= at) return true;
		if (key.required) throw this.#cursor.error("could not find expected ':'");
		this.#forget(key);
		return false;
	}

	#forget(key: SimpleKey): void {
		this.#keyTokens.delete(key.token);
		const level = this.#levels.findLast((each) => each.key === key);
		if (level) level.key = undefined;
	}

	/** The number that the next scanned token gets. */
	get #nextToken(): number {
		return this.#taken + this.#tokens.length - this.#head;
	}

	get #inFlow(): boolean {
		return this.#levels.length > 1;
	}

	/** Scans at least one token. libyaml: yaml_parser_fetch_next_token. */
	#scan(): void {
		const cursor = this.#cursor;
		const endedLine = cursor.skipToContent({
			inFlow: this.#inFlow,
			simpleKeyAllowed: this.#simpleKeyAllowed,
		});
		if (endedLine && !this.#inFlow) this.#simpleKeyAllowed = true;
		this.#closeBlocks(cursor.column);
		if (Number.isNaN(cursor.code())) this.#endStream();
		else if (cursor.column === 0 && cursor.is('%')) this.#scanDirective();
		else if (cursor.isAtDocumentIndicator()) this.#scanDocumentIndicator();
		else this.#scanContent(cursor.text[cursor.at] ?? '');
	}

	#scanContent(char: string): void {
		// `-` is an indicator only before a space, and outside of brackets so are `?` and `:`: `-1` is a number.
		const isAlone = isBlankOrEnd(this.#cursor.code(1));
		switch (char) {
			case '[':
			case '{':
			case ']':
			case '}':
			case ',':
				this.#scanFlow(char);
				return;
			case '-':
				if (isAlone) this.#scanEntry();
				else this.#scanPlain();
				return;
			case '?':
				if (this.#inFlow || isAlone) this.#scanKey();
				else this.#scanPlain();
				return;
			case ':':
				if (this.#inFlow || isAlone) this.#scanValue();
				else this.#scanPlain();
				return;
			case '*':
				this.#scanProperty('alias');
				return;
			case '&':
				this.#scanProperty('anchor');
				return;
			case '!':
				this.#scanProperty('tag');
				return;
			case '|':
			case '>':
				if (this.#inFlow) break;
				this.#scanBlock();
				return;
			case "'":
			case '"':
				this.#scanQuoted();
				return;
			case '#':
			case '%':
			case '@':
			case '`':
			case '\t':
				break;
			default:
				this.#scanPlain();
				return;
		}
		throw this.#cursor.error('found character that cannot start any token');
	}

	#scanFlow(char: '[' | '{' | ']' | '}' | ','): void {
		switch (char) {
			case '[':
				this.#openFlow('flow-seq-start');
				return;
			case '{':
				this.#openFlow('flow-map-start');
				return;
			case ']':
				this.#closeFlow('flow-seq-end');
				return;
			case '}':
				this.#closeFlow('flow-map-end');
				return;
			case ',':
				this.#scanFlowEntry();
				return;
		}
	}

	/** Closes the open blocks at the end of the text. Brackets may stay open: the composer reports that. */
	#endStream(): void {
		this.#cursor.endLine();
		this.#beginLine();
		this.#isOver = true;
		this.#addAt('stream-end', 0);
	}

	#scanDirective(): void {
		this.#beginLine();
		const start = this.#cursor.mark;
		const directive = scanDirective(this.#cursor);
		this.#tokens.push({ type: 'directive', start, end: this.#cursor.at, directive });
	}

	#scanDocumentIndicator(): void {
		this.#beginLine();
		this.#addAt(this.#cursor.is('-') ? 'document-start' : 'document-end', 3);
	}

	/** Closes all blocks before a token that stands outside of them. */
	#beginLine(): void {
		this.#closeBlocks(-1);
		this.#removeSimpleKey();
		this.#simpleKeyAllowed = false;
	}

	/** Opens a bracket, which may itself start a key. libyaml: yaml_parser_fetch_flow_collection_start. */
	#openFlow(type: 'flow-seq-start' | 'flow-map-start'): void {
		this.#saveSimpleKey();
		this.#levels.push({ key: undefined, lastSaved: this.#nextToken });
		if (this.#levels.length - 1 > this.#maxDepth) {
			throw this.#cursor.error(`exceeded max depth of ${this.#maxDepth}`);
		}
		this.#simpleKeyAllowed = true;
		this.#addAt(type, 1);
	}

	#closeFlow(type: 'flow-seq-end' | 'flow-map-end'): void {
		this.#removeSimpleKey();
		// As go-yaml does, drop the bracket as a possible key if there was no other key in it: `[]: x` is no map.
		if (this.#inFlow) this.#keyTokens.delete(this.#levels.pop()?.lastSaved ?? 0);
		this.#simpleKeyAllowed = false;
		this.#addAt(type, 1);
	}

	#scanFlowEntry(): void {
		this.#removeSimpleKey();
		this.#simpleKeyAllowed = true;
		this.#addAt('flow-entry', 1);
	}

	/** A dash. Outside of brackets it opens a block list if its column is deeper than the current block. */
	#scanEntry(): void {
		if (!this.#inFlow) {
			this.#checkPlace('block sequence entries are not allowed in this context');
			this.#openBlock('block-seq-start', this.#cursor.mark, this.#tokens.length);
		}
		this.#removeSimpleKey();
		this.#simpleKeyAllowed = true;
		this.#addAt('entry', 1);
	}

	/** A question mark, which starts a key of any kind and length. libyaml: yaml_parser_fetch_key. */
	#scanKey(): void {
		if (!this.#inFlow) {
			this.#checkPlace('mapping keys are not allowed in this context');
			this.#openBlock('block-map-start', this.#cursor.mark, this.#tokens.length);
		}
		this.#removeSimpleKey();
		this.#simpleKeyAllowed = !this.#inFlow;
		this.#addAt('key', 1);
	}

	/**
	 * A colon. If a possible key precedes it, this inserts the tokens `key` and, for a new block map,
	 * `block-map-start` before that token, which is why tokens are held back. libyaml: yaml_parser_fetch_value.
	 */
	#scanValue(): void {
		const key = this.#levels.at(-1)?.key;
		if (key && this.#isSimpleKeyValid(key)) {
			const place = Math.max(this.#head + key.token - this.#taken, this.#head);
			this.#tokens.splice(place, 0, { type: 'key', start: key.mark, end: key.mark.offset });
			this.#openBlock('block-map-start', key.mark, place);
			this.#forget(key);
			this.#simpleKeyAllowed = false;
		} else {
			if (!this.#inFlow) {
				this.#checkPlace('mapping values are not allowed in this context');
				this.#openBlock('block-map-start', this.#cursor.mark, this.#tokens.length);
			}
			this.#simpleKeyAllowed = !this.#inFlow;
		}
		this.#addAt('value', 1);
	}

	#scanProperty(type: 'alias' | 'anchor' | 'tag'): void {
		this.#saveSimpleKey();
		this.#simpleKeyAllowed = false;
		const start = this.#cursor.mark;
		const found = type === 'tag' ? { tag: scanTag(this.#cursor) } : { value: scanAnchor(this.#cursor) };
		this.#tokens.push({ type, start, end: this.#cursor.at, ...found });
	}

	/** A literal or folded scalar. It spans lines, so it cannot be a key without a question mark. */
	#scanBlock(): void {
		this.#removeSimpleKey();
		this.#simpleKeyAllowed = true;
		const start = this.#cursor.mark;
		const value = scanBlock(this.#cursor, this.#indent);
		this.#tokens.push({ type: 'scalar', style: 'block', start, end: this.#cursor.at, value });
	}

	#scanQuoted(): void {
		this.#saveSimpleKey();
		this.#simpleKeyAllowed = false;
		const start = this.#cursor.mark;
		const value = scanQuoted(this.#cursor);
		this.#tokens.push({ type: 'scalar', style: 'quoted', start, end: this.#cursor.at, value });
	}

	#scanPlain(): void {
		this.#saveSimpleKey();
		this.#simpleKeyAllowed = false;
		const start = this.#cursor.mark;
		const context = { indent: this.#indent, inFlow: this.#inFlow };
		const { value, end, endedLine } = scanPlain(this.#cursor, context);
		this.#tokens.push({ type: 'scalar', style: 'plain', start, end, value });
		if (endedLine) this.#simpleKeyAllowed = true;
	}

	/** Throws if no block collection can start here, for example behind a value on the same line. */
	#checkPlace(problem: string): void {
		if (!this.#simpleKeyAllowed) throw this.#cursor.error(problem);
	}

	/** Notes the next token as a possible key, if a key can start here. libyaml: yaml_parser_save_simple_key. */
	#saveSimpleKey(): void {
		if (!this.#simpleKeyAllowed) return;
		this.#removeSimpleKey();
		const mark = this.#cursor.mark;
		const required = !this.#inFlow && this.#indent === mark.column;
		const key = { token: this.#nextToken, required, mark };
		const level = this.#levels.at(-1);
		if (level) Object.assign(level, { key, lastSaved: key.token });
		this.#keyTokens.set(key.token, key);
	}

	/** Drops the possible key of the current level: no colon followed. libyaml: yaml_parser_remove_simple_key. */
	#removeSimpleKey(): void {
		const key = this.#levels.at(-1)?.key;
		if (!key) return;
		if (key.required) throw this.#cursor.error("could not find expected ':'");
		this.#forget(key);
	}

	/**
	 * Opens a block if its column is deeper than the current block; `place` is the index of its token. libyaml:
	 * yaml_parser_roll_indent.
	 */
	#openBlock(type: 'block-seq-start' | 'block-map-start', start: Mark, place: number): void {
		if (this.#inFlow || this.#indent >= start.column) return;
		this.#indents.push(this.#indent);
		this.#indent = start.column;
		if (this.#indents.length > this.#maxDepth) {
			throw this.#cursor.error(`exceeded max depth of ${this.#maxDepth}`);
		}
		this.#tokens.splice(place, 0, { type, start, end: start.offset });
	}

	/** Closes the blocks that are deeper than `column`. libyaml: yaml_parser_unroll_indent. */
	#closeBlocks(column: number): void {
		if (this.#inFlow) return;
		while (this.#indent > column) {
			this.#addAt('block-end', 0);
			this.#indent = this.#indents.pop() ?? -1;
		}
	}

	/** Adds a token of `length` characters and moves the cursor past it. */
	#addAt(type: TokenType, length: number): void {
		const start = this.#cursor.mark;
		this.#cursor.at += length;
		this.#tokens.push({ type, start, end: this.#cursor.at });
	}
}
