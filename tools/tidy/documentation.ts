import type { ResourceDefinition } from '../../src/api/contract/resource-definition.ts';
import type { SchemaNode } from '../../src/api/schema/schema.ts';
import { at, type Source, type SyntaxNode } from './sources.ts';

/** What must be described: exported names for readers of the code, and fields for users of the API. */

/** The exports without a doc comment. */
export function undocumented(sources: readonly Source[]): readonly string[] {
	const found: string[] = [];
	for (const source of sources) {
		const documented = new Set(
			source.comments
				.filter(({ value }) => value.startsWith('*'))
				.map(({ end }) => end + (/^\s*/.exec(source.text.slice(end))?.[0].length ?? 0)),
		);
		for (const node of source.program.body as readonly SyntaxNode[]) {
			const isDeclaration = node.type === 'ExportNamedDeclaration' && node.declaration;
			if (isDeclaration && !documented.has(node.start)) found.push(`${at(source, node)} has no doc comment`);
		}
	}
	return found;
}

/** The fewest words that say what a field means; fewer repeat its name. */
const FEWEST_WORDS = 4;

/** The fields whose description, which `kubectl explain` prints, is no sentence of at least four words. */
export function poorDescriptions(
	definitions: readonly Pick<ResourceDefinition, 'schema'>[],
): readonly string[] {
	const found: string[] = [];
	const seen = new Set<SchemaNode>();
	const visit = (node: SchemaNode): void => {
		if (seen.has(node)) return;
		seen.add(node);
		if (node.type === 'list') visit(node.items);
		if (node.type === 'map') visit(node.values);
		if (node.type !== 'object') return;
		for (const [name, { schema, description }] of Object.entries(node.fields)) {
			const isSentence = description.endsWith('.') && description.split(/\s+/).length >= FEWEST_WORDS;
			if (!isSentence) found.push(`${node.name}.${name}: "${description}" does not say what the field means`);
			visit(schema);
		}
	};
	for (const { schema } of definitions) visit(schema);
	return found;
}
