import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { BANNED, CASTS, DEPENDENCIES, ENTRIES, LAYERS, PURE_BASE, WALLS } from './tidy/law.ts';
import { lineOf, ROOT, readSources, type Source, type SyntaxNode, walk } from './tidy/sources.ts';

const sources = readSources();
const byPath = new Map(sources.map((source) => [source.path, source]));
const product = sources.filter(({ path }) => path.startsWith('src/') && !isTest(path));

function isTest(path: string): boolean {
	return path.endsWith('.test.ts') || path.includes('/testing/');
}

function layerOf(path: string): string | undefined {
	return /^src\/([^/]+)\//.exec(path)?.[1];
}

function at(source: Source, node: SyntaxNode): string {
	return `${source.path}:${lineOf(source, node.start)}`;
}

/** Fails if there are findings, and prints each on a line. */
function none(found: readonly string[]): void {
	assert.equal(found.length, 0, `\n${found.join('\n')}\n`);
}

test('each folder imports only the folders that LAYERS allows', () => {
	const found: string[] = [];
	for (const { path, imports } of sources) {
		const layer = layerOf(path);
		if (!layer) continue;
		const allowed = LAYERS[layer];
		if (!allowed) found.push(`${path}: src/${layer}/ is not in the layout`);
		for (const { target, relative } of imports) {
			if (!relative || (layer === 'main' && target === 'package.json')) continue;
			const other = layerOf(target);
			if (other === layer || (other !== undefined && allowed?.includes(other))) continue;
			found.push(`${path} imports ${target}: ${layer} may import ${allowed?.join(', ') || 'nothing'}`);
		}
	}
	none(found);
});

test('imports form no cycle', () => {
	const found: string[] = [];
	const state = new Map<string, 'open' | 'done'>();
	const visit = (path: string, trail: readonly string[]): void => {
		if (state.get(path) === 'done') return;
		if (state.get(path) === 'open') {
			found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
			return;
		}
		state.set(path, 'open');
		for (const { target, relative, when } of byPath.get(path)?.imports ?? []) {
			if (relative && when !== 'demand') visit(target, [...trail, path]);
		}
		state.set(path, 'done');
	};
	for (const { path } of sources) visit(path, []);
	none(found);
});

test('every imported file exists', () => {
	none(
		sources.flatMap(({ path, imports }) =>
			imports
				.filter(({ target, relative }) => relative && target.endsWith('.ts') && !byPath.has(target))
				.map(({ target }) => `${path} imports ${target}, which does not exist`),
		),
	);
});

test('plan/ and api/ do no I/O, and plan/ is synchronous', () => {
	const found: string[] = [];
	for (const source of product) {
		const layer = layerOf(source.path);
		if (layer !== 'plan' && layer !== 'api') continue;
		for (const { target, relative } of source.imports) {
			if (!relative && target.startsWith('node:')) found.push(`${source.path} imports ${target}`);
			const base = /^src\/base\/(.*)\.ts$/.exec(target)?.[1];
			if (layer === 'plan' && base && !PURE_BASE.includes(base))
				found.push(`${source.path} imports base/${base}`);
		}
		if (layer !== 'plan') continue;
		walk(source.program, (node) => {
			if (node.type === 'AwaitExpression' || node.async === true) found.push(`${at(source, node)} waits`);
			if (node.type === 'Identifier' && node.name === 'Promise')
				found.push(`${at(source, node)} uses a Promise`);
		});
	}
	none(found);
});

test('the parts of the client that a browser uses import no node: module', () => {
	none(
		product
			.filter(({ path }) => layerOf(path) === 'client' && !path.includes('transport/http-node'))
			.flatMap(({ path, imports }) =>
				imports
					.filter(({ target }) => target.startsWith('node:'))
					.map(({ target }) => `${path} imports ${target}`),
			),
	);
});

test('files and functions stay within the maximum sizes', () => {
	const found: string[] = [];
	for (const source of sources) {
		const wall = isTest(source.path) ? WALLS.testLines : WALLS.fileLines;
		if (source.lines > wall) found.push(`${source.path} has ${source.lines} lines (maximum ${wall})`);
		if (isTest(source.path) || !source.path.startsWith('src/')) continue;
		walk(source.program, (node) => {
			if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
			const length = lineOf(source, node.end) - lineOf(source, node.start) + 1;
			if (length > WALLS.functionLines)
				found.push(`${at(source, node)} a function of ${length} lines (maximum ${WALLS.functionLines})`);
		});
	}
	none(found);
});

test('no forbidden call is made', () => {
	const found: string[] = [];
	for (const source of product) {
		walk(source.program, (node) => {
			const call = calledName(node);
			const ban = BANNED.find((each) => each.call === call);
			if (!ban || ban.allowed.some((allowed) => source.path.startsWith(allowed))) return;
			found.push(`${at(source, node)} calls ${ban.call}: use ${ban.instead}`);
		});
	}
	none(found);
});

/** The name of the called function, such as `Date.now`; `new Date` only for a call without arguments. */
function calledName(node: SyntaxNode): string | undefined {
	const callee = node.callee as SyntaxNode | undefined;
	if (node.type === 'NewExpression' && callee?.name === 'Date') {
		return Array.isArray(node.arguments) && node.arguments.length === 0 ? 'new Date' : undefined;
	}
	if (node.type !== 'CallExpression' || !callee) return undefined;
	if (callee.type === 'Identifier') return String(callee.name);
	const object = callee.object as SyntaxNode | undefined;
	const property = callee.property as SyntaxNode | undefined;
	return object?.type === 'Identifier' ? `${object.name}.${property?.name}` : undefined;
}

test('no file uses any or !, and only the files in CASTS use `as`', () => {
	const found: string[] = [];
	for (const source of product) {
		walk(source.program, (node) => {
			if (node.type === 'TSAnyKeyword') found.push(`${at(source, node)} says any`);
			if (node.type === 'TSNonNullExpression') found.push(`${at(source, node)} says !`);
			if (node.type !== 'TSAsExpression' || isConstCast(node)) return;
			if (!(source.path in CASTS)) found.push(`${at(source, node)} says as`);
		});
	}
	for (const path of Object.keys(CASTS))
		if (!byPath.has(path)) found.push(`CASTS names ${path}, which does not exist`);
	none(found);
});

function isConstCast(node: SyntaxNode): boolean {
	const type = node.typeAnnotation as SyntaxNode | undefined;
	return (type?.typeName as SyntaxNode | undefined)?.name === 'const';
}

test('every exported function, class and type has a doc comment', () => {
	const found: string[] = [];
	for (const source of product) {
		const documented = new Set(
			source.comments
				.filter(({ value }) => value.startsWith('*'))
				.map(({ end }) => end + (/^\s*/.exec(source.text.slice(end))?.[0].length ?? 0)),
		);
		for (const node of source.program.body as readonly SyntaxNode[]) {
			const overload = node.type === 'ExportNamedDeclaration' && node.declaration;
			if (overload && !documented.has(node.start)) found.push(`${at(source, node)} has no doc comment`);
		}
	}
	none(found);
});

test('no file is a barrel or a collection without a subject', () => {
	none(
		sources
			.map(({ path }) => path)
			.filter((path) => /\/(index|utils?|helpers?|types|common|misc)\.ts$/.test(path))
			.map((path) => `${path}: name the file after the noun that is in it`),
	);
});

test('every file is reachable from an entry point', () => {
	const alive = new Set<string>();
	const reach = (path: string): void => {
		if (alive.has(path)) return;
		alive.add(path);
		for (const { target, relative } of byPath.get(path)?.imports ?? []) if (relative) reach(target);
	};
	for (const entry of ENTRIES) reach(entry);
	none(product.filter(({ path }) => !alive.has(path)).map(({ path }) => `${path} is used only by tests`));
});

test('no two files export different things under one name', () => {
	const filesOf = new Map<string, string[]>();
	for (const { path, text } of product) {
		for (const [, name = ''] of text.matchAll(EXPORT))
			filesOf.set(name, [...(filesOf.get(name) ?? []), path]);
	}
	const found = [...filesOf].map(([name, paths]) => ({ name, paths: [...new Set(paths)] }));
	none(
		found.filter(({ paths }) => paths.length > 1).map(({ name, paths }) => `${name}: ${paths.join(', ')}`),
	);
});

/** An export at its declaration. `export … from` passes on a name and is no second meaning. */
const EXPORT =
	/^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type|enum) (\w+)/gm;

test('every dependency has a reason in DEPENDENCIES, and is used', () => {
	const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
	const declared = Object.keys({
		...manifest.dependencies,
		...manifest.optionalDependencies,
		...manifest.devDependencies,
	});
	const found = declared
		.filter((name) => !(name in DEPENDENCIES))
		.map((name) => `${name} has no reason in law.ts`);
	for (const name of Object.keys(DEPENDENCIES))
		if (!declared.includes(name)) found.push(`${name} is not in package.json`);
	const runtime = new Set(Object.keys(manifest.dependencies));
	for (const { path, imports } of product) {
		for (const { target, relative } of imports) {
			if (relative || target.startsWith('node:')) continue;
			const name = target
				.split('/')
				.slice(0, target.startsWith('@') ? 2 : 1)
				.join('/');
			if (!runtime.delete(name) && !(name in manifest.dependencies)) found.push(`${path} imports ${target}`);
		}
	}
	for (const name of runtime) found.push(`${name} is imported by nothing`);
	none(found);
});
