import { reachableFrom } from './imports.ts';
import { NOT_IN_BROWSER } from './law.ts';
import { at, layerOf, type Source, type SyntaxNode } from './sources.ts';

/**
 * "Runs in a browser": the dashboard uses api/, plan/ and the client, so they and all that they import at the
 * start use nothing that only Node has.
 */

const LAYERS_IN_BROWSER: readonly (string | undefined)[] = ['api', 'plan', 'client'];

const NODE_GLOBALS: ReadonlySet<unknown> = new Set(['Buffer', 'process', 'setImmediate', 'require']);

/** What the files that a browser loads use of Node: its modules and its globals. */
export function unportableUses(sources: readonly Source[]): readonly string[] {
	const byPath = new Map(sources.map((source) => [source.path, source]));
	const starts = sources
		.map(({ path }) => path)
		.filter((path) => LAYERS_IN_BROWSER.includes(layerOf(path)))
		.filter((path) => !NOT_IN_BROWSER.some((prefix) => path.startsWith(prefix)));
	const loaded = reachableFrom(starts, (path) =>
		(byPath.get(path)?.imports ?? [])
			.filter(({ relative, when }) => relative && when === 'start')
			.map(({ target }) => target),
	);
	return sources.filter(({ path }) => loaded.has(path)).flatMap(usesOfNode);
}

function usesOfNode(source: Source): readonly string[] {
	const found = source.imports
		.filter(({ target, when }) => target.startsWith('node:') && when !== 'types')
		.map(({ target }) => `${source.path} imports ${target}`);
	eachUse(source.program, (node) => {
		if (NODE_GLOBALS.has(node.name)) found.push(`${at(source, node)} uses ${String(node.name)}`);
	});
	return found;
}

/**
 * Calls `visit` for each identifier that names a variable or a global, but not for names of properties: `a.process`,
 * and `globalThis.setImmediate`, which is undefined where it does not exist.
 */
function eachUse(node: SyntaxNode, visit: (identifier: SyntaxNode) => void): void {
	if (node.type === 'Identifier') visit(node);
	const isNamed =
		node.type === 'MemberExpression' || node.type === 'Property' || node.type.endsWith('Definition');
	for (const [field, value] of Object.entries(node)) {
		if (isNamed && node.computed !== true && (field === 'property' || field === 'key')) continue;
		for (const part of Array.isArray(value) ? value : [value]) {
			if (typeof part === 'object' && part !== null && 'type' in part) eachUse(part, visit);
		}
	}
}
