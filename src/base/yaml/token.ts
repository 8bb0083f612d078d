import type { Mark } from './cursor.ts';
import type { ScalarStyle } from './scan-scalar.ts';
import type { Directive, WrittenTag } from './scan-word.ts';

/** The types of tokens. `-`, `?`, `:` and `,` are named after the part that they start. */
export type TokenType =
	| 'stream-end'
	| 'directive'
	| 'document-start'
	| 'document-end'
	| 'block-seq-start'
	| 'block-map-start'
	| 'block-end'
	| 'flow-seq-start'
	| 'flow-seq-end'
	| 'flow-map-start'
	| 'flow-map-end'
	| 'entry'
	| 'flow-entry'
	| 'key'
	| 'value'
	| 'alias'
	| 'anchor'
	| 'tag'
	| 'scalar';

/** A token with its position. */
export interface Token {
	readonly type: TokenType;
	readonly start: Mark;
	/** Its end in UTF-16 units. */
	readonly end: number;
	/** The text of a scalar, or the name of an anchor or alias. */
	readonly value?: string;
	readonly style?: ScalarStyle;
	readonly tag?: WrittenTag;
	readonly directive?: Directive;
}
