import type { Mark } from './cursor.ts';

/** A part of a document as it is written; what it means, values.ts says. */
export type YamlNode = ScalarNode | ListNode | MapNode | AliasNode;

interface Place {
	readonly start: Mark;
	/** Where it ends, in UTF-16 units; of a block behind its last line. */
	end: number;
	/** Whether an alias stands for it somewhere. */
	isAliased?: boolean;
}

/** A text, whatever it is written like. */
export interface ScalarNode extends Place {
	readonly kind: 'scalar';
	readonly value: string;
	/** In full: `tag:yaml.org,2002:str`; empty where there is none. */
	readonly tag: string;
	/** Whether its form says what it is: it is plain, or missing, and has no tag. */
	readonly isPlain: boolean;
}

/** A list. */
export interface ListNode extends Place {
	readonly kind: 'list';
	readonly items: YamlNode[];
}

/** A map: each key is followed by its value. */
export interface MapNode extends Place {
	readonly kind: 'map';
	/** Whether it stands in braces, as JSON's objects do. */
	readonly isFlow: boolean;
	readonly parts: YamlNode[];
}

/** A name that stands for a node that has been met before. */
export interface AliasNode extends Place {
	readonly kind: 'alias';
	readonly name: string;
	/** What it stands for, which may be what it is in. */
	readonly target: YamlNode;
}
