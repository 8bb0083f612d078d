import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from 'oxc-parser';

/** The root of the checkout. */
export const ROOT = join(import.meta.dirname, '../..');

/** A node of the syntax tree; the fields beyond these depend on `type` (ESTree). */
export interface SyntaxNode {
	readonly type: string;
	readonly start: number;
	readonly end: number;
	readonly [field: string]: unknown;
}

/** A source file, parsed. */
export interface Source {
	/** Relative to the root, with forward slashes. */
	readonly path: string;
	readonly text: string;
	readonly lines: number;
	readonly program: SyntaxNode;
	readonly comments: readonly { readonly value: string; readonly start: number; readonly end: number }[];
	/** Its imports: files by their path relative to the root, packages and `node:` modules by name. */
	readonly imports: readonly Import[];
}

/** One import. */
export interface Import {
	readonly target: string;
	readonly relative: boolean;
	/** Loaded at the start (`import`), on demand (`import()`), or erased (`import type`). */
	readonly when: 'start' | 'demand' | 'types';
	/** The names that it asks for; none of a dynamic import. */
	readonly names: readonly string[];
}

/** Every hand-written TypeScript file of the project. */
export function readSources(): readonly Source[] {
	const found = globSync(
		['src/**/*.ts', 'test/**/*.ts', 'tools/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
		{
			cwd: ROOT,
		},
	);
	return found.sort().map((found) => {
		const path = found.replaceAll('\\', '/');
		return parseSource(path, readFileSync(join(ROOT, path), 'utf8'));
	});
}

/** The number of the line that contains an offset, counted from 1. */
export function lineOf(source: Source, offset: number): number {
	return source.text.slice(0, offset).split('\n').length;
}

/** Whether a file is a test or a helper of tests. */
export function isTest(path: string): boolean {
	return path.endsWith('.test.ts') || path.includes('/testing/');
}

/** The folder of src/ that contains the file; undefined for a file outside of src/. */
export function layerOf(path: string): string | undefined {
	return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** The place of a node as `path:line`. */
export function at(source: Source, node: SyntaxNode): string {
	return `${source.path}:${lineOf(source, node.start)}`;
}

/** Calls `visit` for `node` and all its descendants, parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
	visit(node);
	for (const value of Object.values(node)) {
		for (const part of Array.isArray(value) ? value : [value]) if (isNode(part)) walk(part, visit);
	}
}

function isNode(value: unknown): value is SyntaxNode {
	return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** Parses the text of a file. Re-exports count as imports, because they load the other file too. */
export function parseSource(path: string, text: string): Source {
	const { program, comments, module } = parseSync(path, text);
	const imports: Import[] = [];
	for (const each of module.staticImports) {
		const typesOnly = each.entries.length > 0 && each.entries.every((entry) => entry.isType);
		const names = each.entries.map(({ importName }) => importName.name ?? '*');
		imports.push(
			resolveImport(path, each.moduleRequest.value, { when: typesOnly ? 'types' : 'start', names }),
		);
	}
	for (const { entries } of module.staticExports) {
		for (const { moduleRequest, importName } of entries) {
			if (moduleRequest)
				imports.push(
					resolveImport(path, moduleRequest.value, { when: 'start', names: [importName.name ?? '*'] }),
				);
		}
	}
	for (const { moduleRequest } of module.dynamicImports) {
		const quoted = text.slice(moduleRequest.start, moduleRequest.end);
		if (/^['"]/.test(quoted))
			imports.push(resolveImport(path, quoted.slice(1, -1), { when: 'demand', names: [] }));
	}
	return {
		path,
		text,
		lines: text.split('\n').length - 1,
		program: program as unknown as SyntaxNode,
		comments,
		imports,
	};
}

function resolveImport(from: string, specifier: string, how: Pick<Import, 'when' | 'names'>): Import {
	if (!specifier.startsWith('.')) return { target: specifier, relative: false, ...how };
	return {
		target: relative('.', join(dirname(from), specifier)).replaceAll('\\', '/'),
		relative: true,
		...how,
	};
}
