import type { Mark } from './cursor.ts';

/** A part of a document as it is written. values.ts converts nodes to JSON values. */
export type YamlNode = ScalarNode | SequenceNode | MapNode | AliasNode;

interface Place {
	readonly start: Mark;
	/** Its end in UTF-16 units; the end of a block is behind its last line. */
	end: number;
	/** Whether an alias refers to the node. */
	isAliased?: boolean;
}

/** A scalar in any style: plain, quoted or block. */
export interface ScalarNode extends Place {
	readonly kind: 'scalar';
	readonly value: string;
	/** The full tag, such as `tag:yaml.org,2002:str`; empty if the scalar has none. */
	readonly tag: string;
	/** Whether the text determines the type (number, boolean, null): it is plain or missing, and has no tag. */
	readonly isPlain: boolean;
}

/** A list. */
export interface SequenceNode extends Place {
	readonly kind: 'list';
	readonly items: YamlNode[];
}

/** A map. */
export interface MapNode extends Place {
	readonly kind: 'map';
	/** Whether the map is written in braces, as JSON's objects are. */
	readonly isFlow: boolean;
	/** The keys and values, each key followed by its value. */
	readonly parts: YamlNode[];
}

/** A reference to an earlier node by its anchor. */
export interface AliasNode extends Place {
	readonly kind: 'alias';
	readonly name: string;
	/** The node with the anchor. It may be a node that contains the alias; values.ts rejects that. */
	readonly target: YamlNode;
}
