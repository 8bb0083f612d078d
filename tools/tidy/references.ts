import { lineOf, type Source } from './sources.ts';

/**
 * Files that comments and documents name: a reader follows them, so they must exist. A move that leaves a name
 * behind misleads without an error.
 */

/**
 * A file name as it stands in prose, with or without folders. Names in Go, C and headers are mostly those of others.
 * `x.ts` and `<name>.ts` are placeholders.
 */
const NAMED = /(?<![\w<>*{}.-])((?:[a-z][\w-]*\/)*[a-z][\w-]*(?:\.test)?\.(?:ts|jsonl))\b/g;
const PLACEHOLDERS: readonly string[] = ['x.ts', 'x.jsonl'];

/** Finds names in a text that no path ends with; returns them with their offsets. */
function unknownNames(text: string, paths: readonly string[]): readonly { name: string; offset: number }[] {
	return [...text.matchAll(NAMED)].flatMap(({ 1: name = '', index }) => {
		const isKnown =
			PLACEHOLDERS.includes(name) || paths.some((path) => path === name || path.endsWith(`/${name}`));
		return isKnown ? [] : [{ name, offset: index }];
	});
}

/** The files that the comments of a source name and that do not exist, as `path:line names …`. */
export function missingReferences(source: Source, paths: readonly string[]): readonly string[] {
	return source.comments.flatMap(({ value, start }) =>
		unknownNames(value, paths).map(
			({ name, offset }) => `${source.path}:${lineOf(source, start + 2 + offset)} names ${name}`,
		),
	);
}

/** The same of a document, or of a source in another language. */
export function missingReferencesInDocument(
	document: { readonly path: string; readonly text: string },
	paths: readonly string[],
): readonly string[] {
	return unknownNames(document.text, paths).map(({ name }) => `${document.path} names ${name}`);
}
