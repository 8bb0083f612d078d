/**
 * Composes the nodes of YAML documents from tokens, after libyaml's parser.c. It has its own stack, so that
 * nesting cannot overflow the call stack, and so that a large text can be composed in pieces.
 */

import type { Mark, YamlError } from './cursor.ts';
import { type Frame, NodeTree, type State, type YamlLimits } from './node-tree.ts';
import type { YamlNode } from './nodes.ts';
import { Scanner } from './scanner.ts';
import { errorAt, TagHandles } from './tag-handles.ts';
import type { Token, TokenType } from './token.ts';

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

/** See the header. */
export class Composer {
	readonly #scanner: Scanner;
	readonly #limits: YamlLimits;
	#isFirst = true;
	#handles: TagHandles | undefined;
	#tree: NodeTree;

	constructor(text: string, limits: YamlLimits) {
		this.#scanner = new Scanner(text, limits.depth);
		this.#limits = limits;
		this.#tree = new NodeTree(limits);
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
		this.#tree = new NodeTree(this.#limits);
		const isImplicit =
			(this.#isFirst || loose) && token.type !== 'directive' && token.type !== 'document-start';
		this.#isFirst = false;
		this.#handles = TagHandles.read(this.#scanner);
		if (isImplicit) {
			this.#node({ block: true, indentless: false });
			return true;
		}
		if (this.#peek().type !== 'document-start') throw this.#error('did not find expected <document start>');
		this.#scanner.take();
		if (END_OF_DOCUMENT.has(this.#peek().type)) this.#tree.addEmpty(this.#peek().start);
		else this.#node({ block: true, indentless: false });
		return true;
	}

	/** Reads about `length` more characters; returns whether the document is complete. Throws a YamlError. */
	run(length: number): boolean {
		const pauseAt = this.#scanner.offset + length;
		while (this.#tree.hasOpen) {
			if (this.#scanner.offset > pauseAt) return false;
			this.#step();
		}
		return true;
	}

	/** The root node of the document, which must be complete. */
	end(): YamlNode {
		if (this.#peek().type === 'document-end') this.#scanner.take();
		const { root } = this.#tree;
		if (root === undefined) throw new Error('the document is not complete');
		return root;
	}

	/** Reads the next part of the innermost open list or map. */
	#step(): void {
		const { frame } = this.#tree;
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
				this.#tree.close(this.#peek().start.offset);
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
				this.#tree.addEmpty(this.#peek().start);
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
			this.#tree.close(token.start.offset);
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
			this.#tree.addEmpty(token.start);
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
		this.#tree.open({ kind: 'map', isFlow: true, parts: [], start: token.start, end: token.end }, 'pair-key');
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
		this.#tree.addEmpty(token.start);
	}

	/** The value of a single pair in brackets. */
	#pairValue(frame: Frame): void {
		const token = this.#peek();
		frame.state = 'pair-end';
		if (token.type !== 'value') {
			this.#tree.addEmpty(token.start);
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
			this.#tree.addEmpty(token.start);
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
		if (ends.includes(next.type)) this.#tree.addEmpty({ ...before.start, offset: before.end });
		else this.#node(context);
	}

	/**
	 * Reads a scalar or an alias, or opens a list or map. `block` allows block style; `indentless` allows a
	 * list whose dashes are in the column of the key.
	 */
	#node({ block, indentless }: { readonly block: boolean; readonly indentless: boolean }): void {
		const first = this.#peek();
		if (first.type === 'alias') {
			const { start, end, value: name = '' } = first;
			this.#scanner.take();
			this.#tree.addAlias({ name, start, end });
			return;
		}
		const properties = this.#properties();
		const token = this.#peek();
		const { start, anchor, tag } = properties;
		const { end } = token;
		if (token.type === 'scalar') {
			this.#scanner.take();
			const isPlain = (tag === '' && token.style === 'plain') || tag === '!';
			this.#tree.add({ kind: 'scalar', value: token.value ?? '', tag, isPlain, start, end }, anchor);
		} else if (token.type === 'entry' && indentless) {
			this.#tree.open({ kind: 'list', items: [], start, end }, 'indentless-entry', anchor);
		} else if (token.type === 'flow-seq-start') {
			this.#scanner.take();
			this.#tree.open({ kind: 'list', items: [], start, end }, 'flow-first-item', anchor);
		} else if (token.type === 'flow-map-start') {
			this.#scanner.take();
			this.#tree.open({ kind: 'map', isFlow: true, parts: [], start, end }, 'flow-first-key', anchor);
		} else if (token.type === 'block-seq-start' && block) {
			this.#scanner.take();
			this.#tree.open({ kind: 'list', items: [], start, end }, 'block-entry', anchor);
		} else if (token.type === 'block-map-start' && block) {
			this.#scanner.take();
			this.#tree.open({ kind: 'map', isFlow: false, parts: [], start, end }, 'block-key', anchor);
		} else if (properties.isGiven) {
			this.#tree.add(
				{ kind: 'scalar', value: '', tag, isPlain: tag === '', start, end: start.offset },
				anchor,
			);
		} else throw this.#error('did not find expected node content');
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
		return { start, anchor, tag: tag ? this.#resolve(tag) : '', isGiven };
	}

	#closeWith(token: Token): void {
		this.#scanner.take();
		this.#tree.close(token.end);
	}

	#resolve(token: Token): string {
		const tag = token.tag && this.#handles?.resolve(token.tag);
		if (tag === undefined) throw errorAt(token, 'found undefined tag handle');
		return tag;
	}

	#peek(): Token {
		return this.#scanner.peek();
	}

	#error(problem: string): YamlError {
		return errorAt(this.#peek(), problem);
	}
}

const END_OF_DOCUMENT: ReadonlySet<TokenType> = new Set([
	'directive',
	'document-start',
	'document-end',
	'stream-end',
]);

const AFTER_PAIR_PART: ReadonlySet<TokenType> = new Set(['value', 'flow-entry', 'flow-seq-end']);
