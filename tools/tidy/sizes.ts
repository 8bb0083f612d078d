import { dirname } from 'node:path';
import { longSignatures } from './exports.ts';
import { CROWDED, LONG_FILES, LONG_SIGNATURES, WALLS } from './law.ts';
import { at, isTest, lineOf, type Source, type SyntaxNode, walk } from './sources.ts';

/** The maximum sizes of files, functions, parameter lists and folders. */

/** The files with more lines than {@link WALLS} allows. */
export function longFiles(sources: readonly Source[]): readonly string[] {
	return sources.flatMap(({ path, lines }) => {
		const wall = isTest(path) || path.startsWith('test/') ? WALLS.testLines : WALLS.fileLines;
		if (lines <= wall || path in LONG_FILES) return [];
		return [`${path} has ${lines} lines (maximum ${wall}): split it by noun`];
	});
}

/** The functions with more lines than {@link WALLS} allows. */
export function longFunctions(sources: readonly Source[]): readonly string[] {
	return sources.flatMap((source) => {
		const found: string[] = [];
		walk(source.program, (node) => {
			if (!isFunction(node)) return;
			const length = lineOf(source, node.end) - lineOf(source, node.start) + 1;
			if (length > WALLS.functionLines)
				found.push(`${at(source, node)} a function of ${length} lines (maximum ${WALLS.functionLines})`);
		});
		return found;
	});
}

function isFunction({ type }: SyntaxNode): boolean {
	return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type);
}

/** The functions with more parameters than {@link WALLS} allows. */
export function manyParameters(sources: readonly Source[]): readonly string[] {
	const isExcepted = (path: string): boolean =>
		Object.keys(LONG_SIGNATURES).some((prefix) => path.startsWith(prefix));
	return sources
		.filter(({ path }) => !isExcepted(path))
		.flatMap((source) =>
			longSignatures(source, WALLS.parameters).map(
				(node) => `${at(source, node)} has more than ${WALLS.parameters} parameters: pass an object`,
			),
		);
}

/** The folders with more files than {@link WALLS} allows, tests not counted. */
export function crowdedFolders(sources: readonly Source[]): readonly string[] {
	const folders = Map.groupBy(
		sources.filter(({ path }) => !isTest(path)),
		({ path }) => dirname(path),
	);
	return [...folders]
		.filter(([folder, files]) => files.length > WALLS.folderFiles && !(folder in CROWDED))
		.map(
			([folder, files]) => `${folder}/ has ${files.length} files (maximum ${WALLS.folderFiles}): make rooms`,
		);
}
