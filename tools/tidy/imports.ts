import { LAYERS, PURE_BASE } from './law.ts';
import { at, layerOf, type Source, walk } from './sources.ts';

/** The rules about imports: layers, cycles, purity, and files that no entry point reaches. */

/** The imports from a folder of src/ into another that {@link LAYERS} does not allow. */
export function layerBreaks(sources: readonly Source[]): readonly string[] {
	return sources.flatMap(({ path, imports }) => {
		const layer = layerOf(path);
		if (!layer) return [];
		const allowed = LAYERS[layer];
		if (!allowed) return [`${path}: src/${layer}/ is not in the layout`];
		return imports
			.filter(({ target, relative }) => {
				if (!relative || (layer === 'main' && target === 'package.json')) return false;
				const other = layerOf(target);
				return other !== layer && (other === undefined || !allowed.includes(other));
			})
			.map(
				({ target }) => `${path} imports ${target}: ${layer} may import ${allowed.join(', ') || 'nothing'}`,
			);
	});
}

/** The cycles of imports, each as `a -> b -> a`. Imports on demand and imports of types count too. */
export function importCycles(sources: readonly Source[]): readonly string[] {
	const found: string[] = [];
	const targets = targetsByPath(sources);
	const state = new Map<string, 'open' | 'done'>();
	const visit = (path: string, trail: readonly string[]): void => {
		if (state.get(path) === 'done') return;
		if (state.get(path) === 'open') {
			found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
			return;
		}
		state.set(path, 'open');
		for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
		state.set(path, 'done');
	};
	for (const { path } of sources) visit(path, []);
	return found;
}

/** The imports of files that do not exist. */
export function missingFiles(sources: readonly Source[]): readonly string[] {
	const paths = new Set(sources.map(({ path }) => path));
	return sources.flatMap(({ path, imports }) =>
		imports
			.filter(({ target, relative }) => relative && target.endsWith('.ts') && !paths.has(target))
			.map(({ target }) => `${path} imports ${target}, which does not exist`),
	);
}

/** The files that are reached from none of `entries`, so that only tests can use them. */
export function unreachedFiles(sources: readonly Source[], entries: readonly string[]): readonly string[] {
	const targets = targetsByPath(sources);
	const reached = reachableFrom(entries, (path) => targets.get(path) ?? []);
	return sources.filter(({ path }) => !reached.has(path)).map(({ path }) => path);
}

/** `starts`, and all that `targetsOf` leads to from them. */
export function reachableFrom(
	starts: readonly string[],
	targetsOf: (path: string) => readonly string[],
): ReadonlySet<string> {
	const reached = new Set<string>();
	const open = [...starts];
	for (let path = open.pop(); path !== undefined; path = open.pop()) {
		if (reached.has(path)) continue;
		reached.add(path);
		open.push(...targetsOf(path));
	}
	return reached;
}

/** I/O in plan/ and api/, and all that waits or depends on time in plan/. */
export function impurities(sources: readonly Source[]): readonly string[] {
	const found: string[] = [];
	for (const source of sources) {
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
	return found;
}

function targetsByPath(sources: readonly Source[]): ReadonlyMap<string, readonly string[]> {
	return new Map(
		sources.map(({ path, imports }) => [
			path,
			imports.filter(({ relative }) => relative).map(({ target }) => target),
		]),
	);
}
