import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { isYamlDocument, readYamlDocuments, type YamlDocument } from '../../base/yaml/documents.ts';
import type { YamlNode } from '../../base/yaml/nodes.ts';
import { syntaxProblem } from '../../base/yaml/syntax-problem.ts';
import { listAt, textAt } from '../../client/raw-object.ts';

/** A part of one line of a file; line and column count from 1. */
export interface Span {
	readonly line: number;
	readonly column: number;
	readonly length: number;
}

/** A file of manifests. */
export interface ManifestFile {
	/** The path as the user gave it; `<stdin>` for standard input. */
	readonly name: string;
	readonly text: string;
}

/** One object of a file, with functions that find the place of a field. */
export interface ManifestDocument {
	readonly file: ManifestFile;
	readonly object: JsonRecord;
	/**
	 * The place of the field at `path` (`spec.template.spec.containers[0].image`): its value, or its name if the
	 * value spans several lines. For a missing field the place of its nearest existing ancestor.
	 */
	spanOf(path: string): Span;
	/** The place of the name of the field at `path`. */
	keySpanOf(path: string): Span;
}

/** A problem at a place of a file. */
export interface Problem {
	readonly file: ManifestFile;
	readonly span: Span;
	readonly message: string;
	/** How to fix it. */
	readonly hint?: string;
}

/**
 * Limits of the YAML reader. They are far above any manifest: unlike the server, which reads requests of
 * others, this process reads files of its own user.
 */
const LIMITS = { values: 10_000_000, depth: 1000 };

/**
 * Reads a file: its objects (those of a List as separate ones), and the problems of documents that cannot be
 * read.
 */
export function readDocuments(file: ManifestFile): {
	readonly documents: readonly ManifestDocument[];
	readonly problems: readonly Problem[];
} {
	const documents: ManifestDocument[] = [];
	const problems: Problem[] = [];
	const lines = new Lines(file.text);
	for (const document of readYamlDocuments(file.text, LIMITS)) {
		const content = isYamlDocument(document) ? contentOf(document) : syntaxProblem(document, file.text);
		if ('message' in content) {
			const { offset, message, hint } = content;
			problems.push({ file, span: lines.span(offset, offset + 1), message, ...(hint && { hint }) });
		} else if (content.object) {
			documents.push(...objectsOf({ file, lines, root: content.root }, content.object));
		}
	}
	return { documents, problems };
}

/** The object of a YAML document (undefined if the document is empty), or why it is not an object. */
type Content =
	| { readonly object: JsonRecord | undefined; readonly root: YamlNode }
	| { readonly message: string; readonly offset: number; readonly hint?: string };

function contentOf({ root, value, repeated }: YamlDocument): Content {
	const [twice] = repeated;
	if (twice) {
		const name = twice.key.kind === 'scalar' ? twice.key.value : '';
		const message = `duplicate key ${JSON.stringify(name)}`;
		return { message, offset: twice.key.start.offset };
	}
	if (value === null) return { object: undefined, root };
	if (isRecord(value)) return { object: value, root };
	const hint =
		typeof value === 'string' && /^\w+:\S/.test(value) ? 'a space must follow the colon' : undefined;
	const message = 'an object must be a map with apiVersion and kind';
	return { message, offset: root.start.offset, ...(hint && { hint }) };
}

/** The YAML that an object was read from. */
interface Source {
	readonly file: ManifestFile;
	readonly lines: Lines;
	readonly root: YamlNode;
}

function objectsOf(source: Source, value: JsonRecord): readonly ManifestDocument[] {
	if (!textAt(value, 'kind')?.endsWith('List') || !('items' in value))
		return [manifestDocument(source, value, '')];
	return listAt(value, 'items').map((item, index) =>
		manifestDocument(source, isRecord(item) ? item : {}, `items[${index}]`),
	);
}

function manifestDocument(
	{ file, lines, root }: Source,
	object: JsonRecord,
	prefix: string,
): ManifestDocument {
	const find = (path: string): Found => locate(root, [...stepsOf(prefix), ...stepsOf(path)]);
	const spanOf = ({ start, end }: YamlNode): Span => lines.span(start.offset, end);
	return {
		file,
		object,
		keySpanOf: (path) => {
			const { key, value } = find(path);
			return spanOf(key ?? value);
		},
		spanOf: (path) => {
			const { key, value, complete } = find(path);
			const isShort = value.kind === 'alias' || (value.kind === 'scalar' && !lines.breakIn(value));
			return spanOf(complete && isShort ? value : (key ?? value));
		},
	};
}

/**
 * Splits `spec.containers[0].env[a.b/c]` into steps; the key in brackets is one step even if it contains
 * dots.
 */
function stepsOf(path: string): readonly string[] {
	return [...path.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([whole, inner]) => inner ?? whole);
}

interface Found {
	/** The name of the field; undefined for list items and the root. */
	readonly key: YamlNode | undefined;
	readonly value: YamlNode;
	/** Whether the whole path exists; otherwise `key` and `value` are those of the nearest existing ancestor. */
	readonly complete: boolean;
}

function locate(root: YamlNode, steps: readonly string[]): Found {
	let found: Found = { key: undefined, value: root, complete: true };
	for (const step of steps) {
		const next = descend(found.value.kind === 'alias' ? found.value.target : found.value, step);
		if (!next) return { ...found, complete: false };
		found = next;
	}
	return found;
}

function descend(node: YamlNode, step: string): Found | undefined {
	if (node.kind === 'list') {
		const item = node.items[Number(step)];
		return item && { key: undefined, value: item, complete: true };
	}
	if (node.kind !== 'map') return undefined;
	for (let index = 0; index < node.parts.length; index += 2) {
		const key = node.parts[index];
		const value = node.parts[index + 1];
		if (key?.kind === 'scalar' && key.value === step && value) return { key, value, complete: true };
	}
	return undefined;
}

/** The lines of a text. */
class Lines {
	readonly #text: string;
	readonly #starts: readonly number[];

	constructor(text: string) {
		this.#text = text;
		this.#starts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
	}

	/** Whether a node spans more than one line. */
	breakIn({ start, end }: YamlNode): boolean {
		return this.#text.slice(start.offset, end).includes('\n');
	}

	/** The part of the text from `begin` to `end` that is on its first line. */
	span(begin: number, end: number): Span {
		const at = Math.min(begin, this.#text.length);
		const line = this.#lineOf(at);
		const lineEnd = this.#text.indexOf('\n', at);
		const last = lineEnd < 0 ? end : Math.min(end, lineEnd);
		const column = at - (this.#starts[line] ?? 0);
		return { line: line + 1, column: column + 1, length: Math.max(last - at, 1) };
	}

	/** The line of an offset, counted from 0, by binary search. */
	#lineOf(offset: number): number {
		let low = 0;
		let high = this.#starts.length - 1;
		while (low < high) {
			const middle = Math.ceil((low + high) / 2);
			if ((this.#starts[middle] ?? 0) <= offset) low = middle;
			else high = middle - 1;
		}
		return low;
	}
}
