import {
	type Document,
	isAlias,
	isMap,
	isNode,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	parseAllDocuments,
} from 'yaml';
import { isRawObject, listAt, type RawObject, textAt } from '../../client/raw-object.ts';
import { KUBERNETES_TAGS } from './scalar-tags.ts';
import { syntaxProblem } from './syntax.ts';

/** A stretch of a line of a file; line and column from 1. */
export interface Span {
	readonly line: number;
	readonly column: number;
	readonly length: number;
}

/** A file of manifests. */
export interface ManifestFile {
	/** As the user named it; `<stdin>` for standard input. */
	readonly name: string;
	readonly text: string;
}

/** One object of a file, with the way from a field to its place. */
export interface ManifestDocument {
	readonly file: ManifestFile;
	readonly object: RawObject;
	/**
	 * Where the field at `path` stands (`spec.template.spec.containers[0].image`): its value, or its name
	 * where the value is on other lines; where it is missing, what is nearest above it.
	 */
	spanOf(path: string): Span;
	/** The same for the name of the field. */
	keySpanOf(path: string): Span;
}

/** Something wrong at a place of a file. */
export interface Problem {
	readonly file: ManifestFile;
	readonly span: Span;
	readonly message: string;
	/** What to do about it. */
	readonly hint?: string;
}

/** What a file holds: its objects, or what keeps it from being read. Lists come as their items. */
export function readDocuments(file: ManifestFile): {
	readonly documents: readonly ManifestDocument[];
	readonly problems: readonly Problem[];
} {
	const lines = new LineCounter();
	const parsed = parseAllDocuments(file.text, {
		lineCounter: lines,
		prettyErrors: false,
		merge: true,
		customTags: (tags) => [...KUBERNETES_TAGS, ...tags],
	});
	const documents: ManifestDocument[] = [];
	const problems: Problem[] = [];
	for (const document of Array.isArray(parsed) ? parsed : []) {
		const source = { file, document, lines };
		const [error] = document.errors;
		const content = error ? syntaxProblem(error, file.text) : contentOf(document);
		if ('message' in content) {
			const { offset, message, hint } = content;
			problems.push({ file, span: spanAt(source, [offset, offset + 1]), message, ...(hint && { hint }) });
		} else if (!content.empty) documents.push(...objectsOf(source, content.value));
	}
	return { documents, problems };
}

interface Source {
	readonly file: ManifestFile;
	readonly document: Document.Parsed;
	readonly lines: LineCounter;
}

/** What a document holds, or why it cannot be an object. */
type Content =
	| { readonly empty: true }
	| { readonly empty: false; readonly value: RawObject }
	| { readonly message: string; readonly offset: number; readonly hint?: string };

function contentOf(document: Document.Parsed): Content {
	const offset = offsetOf(document.contents);
	let value: unknown;
	try {
		value = document.toJS();
	} catch (error) {
		// An alias of nothing, or aliases that would grow beyond all bounds.
		return { message: error instanceof Error ? error.message : String(error), offset };
	}
	if (value === null || value === undefined) return { empty: true };
	if (isRawObject(value)) return { empty: false, value };
	const hint =
		typeof value === 'string' && /^\w+:\S/.test(value) ? 'a blank must follow the colon' : undefined;
	return { message: 'an object must be a map with apiVersion and kind', offset, ...(hint && { hint }) };
}

function objectsOf(source: Source, value: RawObject): readonly ManifestDocument[] {
	if (!textAt(value, 'kind')?.endsWith('List') || !('items' in value))
		return [manifestDocument(source, value, '')];
	return listAt(value, 'items').map((item, index) =>
		manifestDocument(source, isRawObject(item) ? item : {}, `items[${index}]`),
	);
}

function manifestDocument(source: Source, object: RawObject, prefix: string): ManifestDocument {
	const find = (path: string): Found => locate(source.document, [...stepsOf(prefix), ...stepsOf(path)]);
	return {
		file: source.file,
		object,
		keySpanOf: (path) => {
			const { key, value } = find(path);
			return spanAt(source, rangeOf(key ?? value));
		},
		spanOf: (path) => {
			const { key, value, complete } = find(path);
			const onOneLine = isScalar(value) && !source.file.text.slice(...rangeOf(value)).includes('\n');
			return spanAt(source, rangeOf(complete && (onOneLine || isAlias(value)) ? value : (key ?? value)));
		},
	};
}

/** `spec.containers[0].env[a.b/c]` as its steps; a key in brackets is one step whatever is in it. */
function stepsOf(path: string): readonly string[] {
	return [...path.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([whole, inner]) => inner ?? whole);
}

interface Found {
	/** The name of the field, where there is one. */
	readonly key: unknown;
	readonly value: unknown;
	/** Whether the whole path was found; otherwise this is what is nearest above it. */
	readonly complete: boolean;
}

function locate(document: Document.Parsed, steps: readonly string[]): Found {
	let found: Found = { key: undefined, value: document.contents, complete: true };
	for (const step of steps) {
		const next = descend(isAlias(found.value) ? found.value.resolve(document) : found.value, step);
		if (!next) return { ...found, complete: false };
		found = next;
	}
	return found;
}

function descend(node: unknown, step: string): Found | undefined {
	if (isMap(node)) {
		const pair = node.items.find(({ key }) => isScalar(key) && String(key.source ?? key.value) === step);
		return pair && { key: pair.key, value: pair.value, complete: true };
	}
	if (!isSeq(node)) return undefined;
	const item = node.items[Number(step)];
	return item === undefined ? undefined : { key: undefined, value: item, complete: true };
}

type Range = readonly [begin: number, end: number];

function rangeOf(node: unknown): [number, number] {
	const [begin = 0, end = 0] = isNode(node) ? (node.range ?? []) : [];
	return [begin, end];
}

function offsetOf(node: Node | null): number {
	return rangeOf(node)[0];
}

/** A range as the part of it that lies on its first line. */
function spanAt({ file, lines }: Pick<Source, 'file' | 'lines'>, [begin, end]: Range): Span {
	const { line, col } = lines.linePos(Math.min(begin, file.text.length));
	const lineEnd = file.text.indexOf('\n', begin);
	const last = lineEnd < 0 ? end : Math.min(end, lineEnd);
	return { line: Math.max(line, 1), column: Math.max(col, 1), length: Math.max(last - begin, 1) };
}
