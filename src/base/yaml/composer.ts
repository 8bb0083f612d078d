import { type Mark, YamlError, YamlLimitError } from './cursor.ts';
import type { YamlNode } from './nodes.ts';
import type { WrittenTag } from './scan-word.ts';
import { Scanner, type Token, type TokenType } from './scanner.ts';

/**
 * Composes the nodes of YAML documents from tokens, after libyaml's parser.c. It has its own stack, so that
 * nesting cannot overflow the call stack, and so that a large text can be composed in pieces.
 */

/** The maximum size of a document that the reader accepts. */
export interface YamlLimits {
	/** Maximum number of list items and fields in a document. */
	readonly values: number;
	/** Maximum nesting depth of lists and maps. */
	readonly depth: number;
}

/** The part that is expected next in an open list or map. */
type State =
	| 'document'
	| 'block-entry'
	| 'indentless-entry'
	| 'block-key'
	| 'block-value'
	| 'flow-first-item'
	| 'flow-item'
	| 'pair-key'
	| 'pair-value'
	| 'pair-end'
	| 'flow-first-key'
	| 'flow-key'
	| 'flow-value'
	| 'flow-no-value';

/** An open list or map; the outermost frame is the document, which has no node. */
interface Frame {
	readonly node: YamlNode | undefined;
	state: State;
}

/** The anchor and tag before a node. */
interface Properties {
	readonly start: Mark;
	readonly anchor: string | undefined;
	/** The full tag; empty if there is none. */
	readonly tag: string;
	/** Whether there is an anchor or a tag. */
	readonly isGiven: boolean;
}

/** The parts between brackets or braces, which commas separate. */
interface FlowParts {
	/** The state before the first part. */
	readonly first: State;
	/** The token that ends the list or map. */
	readonly end: TokenType;
	/** The error if another token follows a part. */
	readonly problem: string;
}

const ITEMS: FlowParts = {
	first: 'flow-first-item',
	end: 'flow-seq-end',
	problem: "did not find expected ',' or ']'",
};

const FIELDS: FlowParts = {
	first: 'flow-first-key',
	end: 'flow-map-end',
	problem: "did not find expected ',' or '}'",
};

const DEFAULT_HANDLES: readonly (readonly [handle: string, prefix: string])[] = [
	['!', '!'],
	['!!', 'tag:yaml.org,2002:'],
];

/** Maximum number of tag handles, far more than any real text has. libyaml has no limit. */
const MAX_HANDLES = 100;

/** See the header. */
export class Composer {
	readonly #scanner: Scanner;
	readonly #limits: YamlLimits;
	#isFirst = true;
	#handles = new Map<string, string>();
	#anchors = new Map<string, YamlNode>();
	#frames: Frame[] = [];
	#root: YamlNode | undefined;
	#values = 0;

	constructor(text: string, limits: YamlLimits) {
		this.#scanner = new Scanner(text, limits.depth);
		this.#limits = limits;
	}

	/** The end of the part of the text that has been read, in UTF-16 units. */
	get offset(): number {
		return this.#scanner.offset;
	}

	/**
	 * Starts the next document; returns false if there is none. `loose` accepts a document without `---`
	 * before it, since one JSON object may follow another. Throws a YamlError.
	 */
	begin(loose = false): boolean {
		while (!this.#isFirst && this.#peek().type === 'document-end') this.#scanner.take();
		const token = this.#peek();
		if (token.type === 'stream-end') return false;
		this.#anchors = new Map();
		this.#root = undefined;
		this.#values = 0;
		this.#frames = [{ node: undefined, state: 'document' }];
		const isImplicit =
			(this.#isFirst || loose) && token.type !== 'directive' && token.type !== 'document-start';
		this.#isFirst = false;
		this.#readDirectives();
		if (isImplicit) {
			this.#node({ block: true, indentless: false });
			return true;
		}
		if (this.#peek().type !== 'document-start') throw this.#error('did not find expected <document start>');
		this.#scanner.take();
		if (END_OF_DOCUMENT.has(this.#peek().type)) this.#empty(this.#peek().start);
		else this.#node({ block: true, indentless: false });
		return true;
	}

	/** Reads about `length` more characters; returns whether the document is complete. Throws a YamlError. */
	run(length: number): boolean {
		const pauseAt = this.#scanner.offset + length;
		while (this.#frames.length > 1) {
			if (this.#scanner.offset > pauseAt) return false;
			this.#step();
		}
		return true;
	}

	/** The root node of the document, which must be complete. */
	end(): YamlNode {
		if (this.#peek().type === 'document-end') this.#scanner.take();
		if (this.#root === undefined) throw new Error('the document is not complete');
		return this.#root;
	}

	/** Reads the directives before a document, and resets those of the document before it. */
	#readDirectives(): void {
		this.#handles = new Map();
		let hasVersion = false;
		for (;;) {
			const { directive } = this.#peek();
			if (!directive) break;
			if (this.#handles.size === MAX_HANDLES) throw this.#error(`found more than ${MAX_HANDLES} directives`);
			if (directive.name === 'TAG') {
				if (this.#handles.has(directive.handle)) throw this.#error('found duplicate %TAG directive');
				this.#handles.set(directive.handle, directive.prefix);
			} else {
				if (hasVersion) throw this.#error('found duplicate %YAML directive');
				if (directive.major !== 1 || directive.minor !== 1) {
					throw this.#error('found incompatible YAML document');
				}
				hasVersion = true;
			}
			this.#scanner.take();
		}
		for (const [handle, prefix] of DEFAULT_HANDLES) {
			if (!this.#handles.has(handle)) this.#handles.set(handle, prefix);
		}
	}

	/** Reads the next part of the innermost open list or map. */
	#step(): void {
		const frame = this.#frame();
		switch (frame.state) {
			case 'document':
				return;
			case 'block-entry':
				this.#blockEntry(frame);
				return;
			case 'indentless-entry':
				this.#indentlessEntry(frame);
				return;
			case 'block-key':
				this.#blockKey(frame);
				return;
			case 'block-value':
				this.#blockValue(frame);
				return;
			case 'flow-first-item':
			case 'flow-item':
				this.#flowItem(frame);
				return;
			case 'pair-key':
				this.#pairKey(frame);
				return;
			case 'pair-value':
				this.#pairValue(frame);
				return;
			case 'pair-end':
				this.#close(this.#peek().start.offset);
				return;
			case 'flow-first-key':
			case 'flow-key':
				this.#flowKey(frame);
				return;
			case 'flow-value':
				this.#flowValue(frame);
				return;
			case 'flow-no-value':
				frame.state = 'flow-key';
				this.#empty(this.#peek().start);
				return;
		}
	}

	/** An item of a block list. libyaml: yaml_parser_parse_block_sequence_entry. */
	#blockEntry(frame: Frame): void {
		const token = this.#peek();
		if (token.type === 'entry') {
			frame.state = 'block-entry';
			this.#scanner.take();
			this.#nodeUnless(['entry', 'block-end'], token, { block: true, indentless: false });
		} else if (token.type === 'block-end') this.#closeWith(token);
		else throw this.#error("did not find expected '-' indicator");
	}

	/**
	 * An item of a list whose dashes are in the same column as the keys of its map. The scanner opens no block for
	 * it, so the first token that is no `entry` ends the list instead of a `block-end`. libyaml:
	 * yaml_parser_parse_indentless_sequence_entry.
	 */
	#indentlessEntry(frame: Frame): void {
		const token = this.#peek();
		if (token.type !== 'entry') {
			this.#close(token.start.offset);
			return;
		}
		frame.state = 'indentless-entry';
		this.#scanner.take();
		this.#nodeUnless(['entry', 'key', 'value', 'block-end'], token, { block: true, indentless: false });
	}

	/** A key of a block map. libyaml: yaml_parser_parse_block_mapping_key. */
	#blockKey(frame: Frame): void {
		const token = this.#peek();
		if (token.type === 'key') {
			frame.state = 'block-value';
			this.#scanner.take();
			this.#nodeUnless(['key', 'value', 'block-end'], token, { block: true, indentless: true });
		} else if (token.type === 'block-end') this.#closeWith(token);
		else throw this.#error('did not find expected key');
	}

	/** A value of a block map; it is empty if no colon follows the key. */
	#blockValue(frame: Frame): void {
		const token = this.#peek();
		frame.state = 'block-key';
		if (token.type !== 'value') {
			this.#empty(token.start);
			return;
		}
		this.#scanner.take();
		this.#nodeUnless(['key', 'value', 'block-end'], token, { block: true, indentless: true });
	}

	/** An item in brackets. libyaml: yaml_parser_parse_flow_sequence_entry. */
	#flowItem(frame: Frame): void {
		if (!this.#flowEntry(frame, ITEMS)) return;
		const token = this.#peek();
		frame.state = 'flow-item';
		if (token.type !== 'key') {
			this.#node({ block: false, indentless: false });
			return;
		}
		// `[a: b]` is a list of one map.
		this.#scanner.take();
		this.#open({ kind: 'map', isFlow: true, parts: [], start: token.start, end: token.end }, 'pair-key');
	}

	/** The key of a single pair in brackets. libyaml: yaml_parser_parse_flow_sequence_entry_mapping_key. */
	#pairKey(frame: Frame): void {
		const token = this.#peek();
		frame.state = 'pair-value';
		if (!AFTER_PAIR_PART.has(token.type)) {
			this.#node({ block: false, indentless: false });
			return;
		}
		// libyaml skips the token here, so that the list ends early. Do the same to report the same error.
		this.#scanner.take();
		this.#empty(token.start);
	}

	/** The value of a single pair in brackets. */
	#pairValue(frame: Frame): void {
		const token = this.#peek();
		frame.state = 'pair-end';
		if (token.type !== 'value') {
			this.#empty(token.start);
			return;
		}
		this.#scanner.take();
		this.#nodeUnless(['flow-entry', 'flow-seq-end'], token, { block: false, indentless: false });
	}

	/** A key in braces; a scalar without a colon is a key with an empty value. */
	#flowKey(frame: Frame): void {
		if (!this.#flowEntry(frame, FIELDS)) return;
		const token = this.#peek();
		if (token.type !== 'key') {
			frame.state = 'flow-no-value';
			this.#node({ block: false, indentless: false });
			return;
		}
		frame.state = 'flow-value';
		this.#scanner.take();
		this.#nodeUnless(['value', 'flow-entry', 'flow-map-end'], token, { block: false, indentless: false });
	}

	/** A value in braces. libyaml: yaml_parser_parse_flow_mapping_value. */
	#flowValue(frame: Frame): void {
		const token = this.#peek();
		frame.state = 'flow-key';
		if (token.type !== 'value') {
			this.#empty(token.start);
			return;
		}
		this.#scanner.take();
		this.#nodeUnless(['flow-entry', 'flow-map-end'], token, { block: false, indentless: false });
	}

	/** Skips the comma before an item; returns false if there is no further item, and closes the frame. */
	#flowEntry(frame: Frame, { first, end, problem }: FlowParts): boolean {
		if (this.#peek().type !== end && frame.state !== first) {
			if (this.#peek().type !== 'flow-entry') throw this.#error(problem);
			this.#scanner.take();
		}
		const token = this.#peek();
		if (token.type !== end) return true;
		this.#closeWith(token);
		return false;
	}

	/** Reads a node, or adds an empty one if the next token is one of `ends`. */
	#nodeUnless(
		ends: readonly TokenType[],
		before: Token,
		context: { readonly block: boolean; readonly indentless: boolean },
	): void {
		const next = this.#peek();
		if (ends.includes(next.type)) this.#empty({ ...before.start, offset: before.end });
		else this.#node(context);
	}

	/**
	 * Reads a scalar or an alias, or opens a list or map. `block` allows block style; `indentless` allows a
	 * list whose dashes are in the column of the key.
	 */
	#node({ block, indentless }: { readonly block: boolean; readonly indentless: boolean }): void {
		const first = this.#peek();
		if (first.type === 'alias') {
			this.#alias(first);
			return;
		}
		const properties = this.#properties();
		const token = this.#peek();
		const { start, tag } = properties;
		const { end } = token;
		if (token.type === 'scalar') {
			this.#scanner.take();
			const isPlain = (tag === '' && token.style === 'plain') || tag === '!';
			this.#add({ kind: 'scalar', value: token.value ?? '', tag, isPlain, start, end }, properties);
		} else if (token.type === 'entry' && indentless) {
			this.#openWith({ kind: 'list', items: [], start, end }, 'indentless-entry', properties);
		} else if (token.type === 'flow-seq-start') {
			this.#scanner.take();
			this.#openWith({ kind: 'list', items: [], start, end }, 'flow-first-item', properties);
		} else if (token.type === 'flow-map-start') {
			this.#scanner.take();
			this.#openWith({ kind: 'map', isFlow: true, parts: [], start, end }, 'flow-first-key', properties);
		} else if (token.type === 'block-seq-start' && block) {
			this.#scanner.take();
			this.#openWith({ kind: 'list', items: [], start, end }, 'block-entry', properties);
		} else if (token.type === 'block-map-start' && block) {
			this.#scanner.take();
			this.#openWith({ kind: 'map', isFlow: false, parts: [], start, end }, 'block-key', properties);
		} else if (properties.isGiven) {
			this.#add(
				{ kind: 'scalar', value: '', tag, isPlain: tag === '', start, end: start.offset },
				properties,
			);
		} else throw this.#error('did not find expected node content');
	}

	/**
	 * Adds an alias. Its anchor must precede it, so an alias can refer to an enclosing node, but not to a later
	 * one.
	 */
	#alias({ start, end, value: name = '' }: Token): void {
		this.#scanner.take();
		const target = this.#anchors.get(name);
		if (!target) throw new YamlError(`unknown anchor '${name}' referenced`, start);
		target.isAliased = true;
		this.#add({ kind: 'alias', name, target, start, end });
	}

	/** Reads the anchor and the tag before a node, in either order. */
	#properties(): Properties {
		const { start } = this.#peek();
		let anchor: string | undefined;
		let tag: Token | undefined;
		for (;;) {
			const token = this.#peek();
			if (token.type === 'anchor' && anchor === undefined) anchor = token.value ?? '';
			else if (token.type === 'tag' && !tag) tag = token;
			else break;
			this.#scanner.take();
		}
		const isGiven = anchor !== undefined || tag !== undefined;
		return { start, anchor, tag: tag?.tag ? this.#resolveTag(tag.tag, tag.start) : '', isGiven };
	}

	/** The full tag: the prefix of the handle, which a %TAG directive may define, and the suffix. */
	#resolveTag({ handle, suffix }: WrittenTag, start: Mark): string {
		if (handle === '') return suffix;
		const prefix = this.#handles.get(handle);
		if (prefix === undefined) throw this.#error('found undefined tag handle', start);
		return prefix + suffix;
	}

	/** Opens a list or map. Its anchor is valid at once, so that an alias inside it is found and rejected. */
	#openWith(node: YamlNode, state: State, { anchor }: Properties): void {
		if (anchor !== undefined) this.#anchors.set(anchor, node);
		this.#open(node, state);
	}

	#open(node: YamlNode, state: State): void {
		this.#add(node);
		this.#frames.push({ node, state });
	}

	#closeWith(token: Token): void {
		this.#scanner.take();
		this.#close(token.end);
	}

	#close(end: number): void {
		const { node } = this.#frame();
		if (node) node.end = end;
		this.#frames.pop();
	}

	/** Adds a missing node, which resolves to null. */
	#empty(mark: Mark): void {
		this.#add({ kind: 'scalar', value: '', tag: '', isPlain: true, start: mark, end: mark.offset });
	}

	/** Adds a node to the innermost open list or map, or makes it the root. */
	#add(node: YamlNode, properties?: Properties): void {
		if (properties?.anchor !== undefined) this.#anchors.set(properties.anchor, node);
		const parent = this.#frame().node;
		if (!parent) this.#root = node;
		else if (parent.kind === 'list') {
			parent.items.push(node);
			this.#count();
		} else if (parent.kind === 'map' && parent.parts.push(node) % 2 === 0) this.#count();
	}

	#count(): void {
		if (++this.#values > this.#limits.values) {
			throw new YamlLimitError(`more than ${this.#limits.values} values`);
		}
	}

	#frame(): Frame {
		const frame = this.#frames.at(-1);
		if (!frame) throw new Error('no document has begun');
		return frame;
	}

	#peek(): Token {
		return this.#scanner.peek();
	}

	/**
	 * A parser's error at the next token. go-yaml counts lines from 0 here, and omits the number of the first
	 * line.
	 */
	#error(problem: string, mark: Mark = this.#peek().start): YamlError {
		return new YamlError(problem, mark, mark.line);
	}
}

const END_OF_DOCUMENT: ReadonlySet<TokenType> = new Set([
	'directive',
	'document-start',
	'document-end',
	'stream-end',
]);

const AFTER_PAIR_PART: ReadonlySet<TokenType> = new Set(['value', 'flow-entry', 'flow-seq-end']);
