import {
	type Document,
	isMap,
	isNode,
	isScalar,
	isSeq,
	LineCounter,
	type Node,
	parseAllDocuments,
} from 'yaml';
import { isRawObject, listAt, type RawObject, textAt } from '../../client/raw-object.ts';

/** A place in a file, lines and columns from 1. */
export interface Position {
	readonly line: number;
	readonly column: number;
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
	/** Where the field at `path` stands (`spec.template.spec.containers[0].image`), or what is nearest above it. */
	positionOf(path: string): Position;
}

/** Something wrong at a place of a file. */
export interface Problem {
	readonly file: ManifestFile;
	readonly position: Position;
	readonly message: string;
}

/** What a file holds: its objects, or what keeps it from being read. Lists come as their items. */
export function readDocuments(file: ManifestFile): {
	readonly documents: readonly ManifestDocument[];
	readonly problems: readonly Problem[];
} {
	const lines = new LineCounter();
	const parsed = parseAllDocuments(file.text, { lineCounter: lines, prettyErrors: false });
	const documents: ManifestDocument[] = [];
	const problems: Problem[] = [];
	for (const document of Array.isArray(parsed) ? parsed : []) {
		const at = (offset: number): Position => {
			const { line, col } = lines.linePos(offset);
			return { line: Math.max(line, 1), column: Math.max(col, 1) };
		};
		const [error] = document.errors;
		if (error) {
			problems.push({ file, position: at(error.pos[0]), message: syntaxText(error, file.text) });
			continue;
		}
		const content: unknown = document.toJS();
		if (content === null || content === undefined) continue;
		const start = at(document.contents?.range?.[0] ?? 0);
		if (!isRawObject(content)) {
			problems.push({ file, position: start, message: 'a manifest must be a map with apiVersion and kind' });
			continue;
		}
		const items = textAt(content, 'kind')?.endsWith('List') ? listAt(content, 'items') : undefined;
		if (!items) documents.push({ file, object: content, positionOf: locator(document, '', at) });
		for (const [index, item] of (items ?? []).entries()) {
			if (isRawObject(item))
				documents.push({ file, object: item, positionOf: locator(document, `items[${index}].`, at) });
		}
	}
	return { documents, problems };
}

/** The parser's words, in ours where a beginner would not understand them. */
function syntaxText(
	{ code, message, pos }: { code: string; message: string; pos: [number, number] },
	text: string,
): string {
	const lineStart = text.lastIndexOf('\n', pos[0] - 1) + 1;
	const indentation = /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? '';
	if (code === 'TAB_AS_INDENT' || indentation.includes('\t'))
		return 'YAML is indented with spaces; this line has a tab';
	if (code === 'DUPLICATE_KEY') return 'this key stands here a second time';
	return message;
}

function locator(
	document: Document.Parsed,
	prefix: string,
	at: (offset: number) => Position,
): ManifestDocument['positionOf'] {
	return (path) => {
		let node: unknown = document.contents;
		let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
		for (const step of stepsOf(prefix + path)) {
			const found = descend(node, step);
			if (!found) break;
			node = found.value;
			offset = found.offset;
		}
		return at(offset);
	};
}

/** `spec.containers[0].env[A]` as its steps; a key in brackets is one step whatever is in it. */
function stepsOf(path: string): readonly string[] {
	return [...path.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([whole, inner]) => inner ?? whole);
}

function descend(
	node: unknown,
	step: string,
): { readonly value: unknown; readonly offset: number } | undefined {
	if (isMap(node)) {
		const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
		const key = pair && isScalar(pair.key) ? pair.key : undefined;
		return pair && key ? { value: pair.value, offset: key.range?.[0] ?? 0 } : undefined;
	}
	if (isSeq(node)) {
		const item: unknown = node.items[Number(step)];
		return isNode(item) ? { value: item, offset: offsetOf(item) } : undefined;
	}
	return undefined;
}

function offsetOf(node: Node): number {
	return node.range?.[0] ?? 0;
}
