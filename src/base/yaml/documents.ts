import { Composer } from './composer.ts';
import { YamlError, YamlLimitError } from './cursor.ts';
import type { YamlLimits } from './node-tree.ts';
import type { YamlNode } from './nodes.ts';
import { NoJsonError } from './resolve.ts';
import { type RepeatedKey, yamlValueOf } from './values.ts';

/** A document: its value as JSON, and its nodes, which have their positions in the text. */
export interface YamlDocument {
	readonly root: YamlNode;
	readonly value: unknown;
	readonly repeated: readonly RepeatedKey[];
}

/** The reason why a document cannot be read, and the position of the error in UTF-16 units of the text. */
export interface YamlFault {
	readonly problem: string;
	readonly offset: number;
}

/**
 * Reads all documents of a text in order. A document that cannot be read yields a fault, and reading
 * continues behind the next `---`, so that a user sees the errors of all documents at once. JSON objects may
 * follow each other without `---`, as kubectl accepts them.
 */
export function readYamlDocuments(text: string, limits: YamlLimits): readonly (YamlDocument | YamlFault)[] {
	const documents: (YamlDocument | YamlFault)[] = [];
	let from = 0;
	while (from < text.length) {
		const part = new PartReader(text, from, limits);
		from = part.readInto(documents);
	}
	return documents;
}

/** Whether the result is a document and not a fault. */
export function isYamlDocument(document: YamlDocument | YamlFault): document is YamlDocument {
	return 'root' in document;
}

/** Reads documents from one offset on, up to the first that cannot be read. */
class PartReader {
	readonly #text: string;
	readonly #limits: YamlLimits;
	readonly #composer: Composer;
	#root: YamlNode | undefined;

	constructor(text: string, from: number, limits: YamlLimits) {
		this.#text = text;
		this.#limits = limits;
		// Spaces replace the part that has been read, so that positions are those of the whole text.
		this.#composer = new Composer(from === 0 ? text : blank(text, from) + text.slice(from), limits);
	}

	/** Appends the documents, and at most one fault at the end; returns the offset at which to continue. */
	readInto(documents: (YamlDocument | YamlFault)[]): number {
		try {
			while (this.#composer.begin(this.#root?.kind === 'map' && this.#root.isFlow)) {
				this.#composer.run(Infinity);
				this.#root = this.#composer.end();
				documents.push(this.#valued(this.#root));
			}
			return this.#text.length;
		} catch (error) {
			const offset = error instanceof YamlError ? (error.mark?.offset ?? 0) : this.#composer.offset;
			documents.push({ problem: problemOf(error), offset });
			const next = this.#text.slice(offset).search(SEPARATOR);
			return next < 0 ? this.#text.length : offset + next + 1;
		}
	}

	/** The value of a document. Its error does not stop the reading, since its end is known. */
	#valued(root: YamlNode): YamlDocument | YamlFault {
		try {
			const { value, repeated } = yamlValueOf(root, this.#limits, 'written');
			return { root, value, repeated };
		} catch (error) {
			const mark = error instanceof YamlError ? error.mark : undefined;
			return { problem: problemOf(error), offset: (mark ?? root.start).offset };
		}
	}
}

const SEPARATOR = /\n---(?:\s|$)/;

/** The message of an expected error. Any other error is a bug and is thrown. */
function problemOf(error: unknown): string {
	if (error instanceof YamlError) return error.problem;
	if (error instanceof YamlLimitError || error instanceof NoJsonError) return error.message;
	throw error;
}

function blank(text: string, end: number): string {
	return text.slice(0, end).replace(/[^\n]/g, ' ');
}
