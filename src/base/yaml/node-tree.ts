import { type Mark, YamlError, YamlLimitError } from './cursor.ts';
import type { YamlNode } from './nodes.ts';

/** The maximum size of a document that the reader accepts. */
export interface YamlLimits {
	/** Maximum number of list items and fields in a document. */
	readonly values: number;
	/** Maximum nesting depth of lists and maps. */
	readonly depth: number;
}

/** The part that is expected next in an open list or map. */
export type State =
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
export interface Frame {
	readonly node: YamlNode | undefined;
	state: State;
}

/**
 * The nodes of one document while it is composed: the tree so far, the open lists and maps, and the anchors.
 */
export class NodeTree {
	readonly #limits: YamlLimits;
	readonly #anchors = new Map<string, YamlNode>();
	readonly #frames: Frame[] = [{ node: undefined, state: 'document' }];
	#root: YamlNode | undefined;
	#values = 0;

	constructor(limits: YamlLimits) {
		this.#limits = limits;
	}

	/** The root node; undefined before it is added. */
	get root(): YamlNode | undefined {
		return this.#root;
	}

	/** Whether a list or map is open. */
	get hasOpen(): boolean {
		return this.#frames.length > 1;
	}

	/** The innermost open list or map. */
	get frame(): Frame {
		const frame = this.#frames.at(-1);
		if (!frame) throw new Error('the document has been closed');
		return frame;
	}

	/** Adds a node to the innermost open list or map, or makes it the root. */
	add(node: YamlNode, anchor?: string): void {
		if (anchor !== undefined) this.#anchors.set(anchor, node);
		const parent = this.frame.node;
		if (!parent) this.#root = node;
		else if (parent.kind === 'list') {
			parent.items.push(node);
			this.#count();
		} else if (parent.kind === 'map' && parent.parts.push(node) % 2 === 0) this.#count();
	}

	/** Adds a missing node, which resolves to null. */
	addEmpty(mark: Mark): void {
		this.add({ kind: 'scalar', value: '', tag: '', isPlain: true, start: mark, end: mark.offset });
	}

	/**
	 * Adds an alias. Its anchor must precede it, so an alias can refer to an enclosing node, but not to a later
	 * one.
	 */
	addAlias({
		name,
		start,
		end,
	}: {
		readonly name: string;
		readonly start: Mark;
		readonly end: number;
	}): void {
		const target = this.#anchors.get(name);
		if (!target) throw new YamlError(`unknown anchor '${name}' referenced`, start);
		target.isAliased = true;
		this.add({ kind: 'alias', name, target, start, end });
	}

	/** Opens a list or map. Its anchor is valid at once, so that an alias inside it is found and rejected. */
	open(node: YamlNode, state: State, anchor?: string): void {
		this.add(node, anchor);
		this.#frames.push({ node, state });
	}

	/** Closes the innermost list or map, which ends at the offset `end`. */
	close(end: number): void {
		const { node } = this.frame;
		if (node) node.end = end;
		this.#frames.pop();
	}

	#count(): void {
		if (++this.#values > this.#limits.values) {
			throw new YamlLimitError(`more than ${this.#limits.values} values`);
		}
	}
}
