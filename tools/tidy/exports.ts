import { type Source, type SyntaxNode, walk } from './sources.ts';

/**
 * Which exported values no source uses: dead code that a check of whole files cannot see. A value that its own
 * file uses may be exported for the tests alone. Types are left out: many are exported because they stand in
 * the signature of an exported function.
 */

/** The exported values (functions, classes, constants) that neither their file nor `users` use, as `path: name`. */
export function deadExports(declaring: readonly Source[], users: readonly Source[]): readonly string[] {
	const used = usedNames(users);
	return declaring.flatMap((source) =>
		exportedValues(source)
			.filter((name) => !used.get(source.path)?.has(name) && identifiers(source).get(name) === 1)
			.map((name) => `${source.path}: ${name} is used by nothing but tests`),
	);
}

/** The names that are imported, by the file that exports them. */
function usedNames(users: readonly Source[]): ReadonlyMap<string, ReadonlySet<string>> {
	const used = new Map<string, Set<string>>();
	const add = (target: string, name: string): void => {
		const names = used.get(target) ?? new Set();
		used.set(target, names.add(name));
	};
	for (const source of users) {
		for (const { target, names } of source.imports) for (const name of names) add(target, name);
		// What a dynamic import is asked for is looked up by its words: `(await import('./x.ts')).apply`.
		const demanded = source.imports.filter(({ when }) => when === 'demand');
		if (demanded.length === 0) continue;
		const words = new Set(source.text.match(/\w+/g));
		for (const { target } of demanded) for (const word of words) add(target, word);
	}
	return used;
}

/** How often each identifier stands in the code of a file: once means that it is only declared. */
function identifiers({ program }: Source): ReadonlyMap<string, number> {
	const counts = new Map<string, number>();
	walk(program, (node) => {
		if (node.type !== 'Identifier') return;
		const name = nameIn(node);
		counts.set(name, (counts.get(name) ?? 0) + 1);
	});
	return counts;
}

function exportedValues({ program }: Source): readonly string[] {
	const names: string[] = [];
	for (const node of program.body as readonly SyntaxNode[]) {
		const declaration = node.type === 'ExportNamedDeclaration' && (node.declaration as SyntaxNode | null);
		if (!declaration) continue;
		if (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration')
			names.push(nameIn(declaration.id));
		if (declaration.type !== 'VariableDeclaration') continue;
		for (const each of declaration.declarations as readonly SyntaxNode[]) names.push(nameIn(each.id));
	}
	return names;
}

function nameIn(node: unknown): string {
	return String((node as { readonly name?: unknown }).name);
}

/** The functions with more parameters than `most`, as their nodes. */
export function longSignatures({ program }: Source, most: number): readonly SyntaxNode[] {
	const found: SyntaxNode[] = [];
	walk(program, (node) => {
		if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
		const { params } = node;
		if (Array.isArray(params) && params.length > most) found.push(node);
	});
	return found;
}
