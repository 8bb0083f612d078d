import { BANNED, CASTS } from './law.ts';
import { at, type Source, type SyntaxNode, walk } from './sources.ts';

/** The rules about single expressions: forbidden calls, and types that the checker cannot trust. */

/** The calls that {@link BANNED} forbids where they stand. */
export function bannedCalls(sources: readonly Source[]): readonly string[] {
	const found: string[] = [];
	for (const source of sources) {
		walk(source.program, (node) => {
			const call = calledName(node);
			const ban = BANNED.find((each) => each.call === call);
			if (!ban || ban.allowed.some((allowed) => source.path.startsWith(allowed))) return;
			found.push(`${at(source, node)} calls ${ban.call}: use ${ban.instead}`);
		});
	}
	return found;
}

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

/** `any`, `!`, and `as` outside of the files in {@link CASTS}, whose entries must exist. */
export function unsafeTypes(sources: readonly Source[]): readonly string[] {
	const found: string[] = [];
	for (const source of sources) {
		walk(source.program, (node) => {
			if (node.type === 'TSAnyKeyword') found.push(`${at(source, node)} says any`);
			if (node.type === 'TSNonNullExpression') found.push(`${at(source, node)} says !`);
			if (node.type !== 'TSAsExpression' || isConstCast(node)) return;
			if (!(source.path in CASTS)) found.push(`${at(source, node)} says as`);
		});
	}
	return found;
}

function isConstCast(node: SyntaxNode): boolean {
	const type = node.typeAnnotation as SyntaxNode | undefined;
	return (type?.typeName as SyntaxNode | undefined)?.name === 'const';
}

/** Objects that are written into another one as a spread: `{ ...{ a, b }, c }`. Their fields stand there themselves. */
export function spreadLiterals(sources: readonly Source[]): readonly string[] {
	const found: string[] = [];
	for (const source of sources) {
		walk(source.program, (node) => {
			if (node.type !== 'ObjectExpression') return;
			for (const property of node.properties as readonly SyntaxNode[]) {
				const isLiteral = (property.argument as SyntaxNode | undefined)?.type === 'ObjectExpression';
				if (property.type === 'SpreadElement' && isLiteral)
					found.push(`${at(source, property)} spreads a literal: write its fields`);
			}
		});
	}
	return found;
}
