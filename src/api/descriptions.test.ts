import assert from 'node:assert/strict';
import test from 'node:test';
import { tokenRequestSchema } from './authentication/token-request.ts';
import { bindingSchema } from './core/binding/schema.ts';
import { deleteOptionsSchema } from './meta/delete-options.ts';
import { evictionSchema } from './policy/eviction/schema.ts';
import { resources, viewResources, virtualResources } from './resources.ts';
import type { SchemaNode } from './schema/schema.ts';

const DEFINITIONS = [...resources, ...viewResources, ...virtualResources];

/** Every description of a schema by the path of its type or field; a type that occurs twice is visited once. */
function descriptionsOf(schemas: readonly SchemaNode[]): ReadonlyMap<string, string> {
	const found = new Map<string, string>();
	const visit = (node: SchemaNode): void => {
		if (node.type === 'list') visit(node.items);
		if (node.type === 'map') visit(node.values);
		if (node.type !== 'object' || found.has(node.name)) return;
		found.set(node.name, node.description);
		for (const [name, { schema, description }] of Object.entries(node.fields)) {
			found.set(`${node.name}.${name}`, description);
			visit(schema);
		}
	};
	for (const schema of schemas) visit(schema);
	return found;
}

test('kubectl explain gives each type and field a phrase of at least four words', () => {
	const descriptions = descriptionsOf([
		...DEFINITIONS.map(({ schema }) => schema),
		...[evictionSchema, bindingSchema, tokenRequestSchema, deleteOptionsSchema],
	]);
	for (const [path, text] of descriptions) {
		assert.match(text, /^[A-Z].*\.$/, path);
		assert.ok(text.split(' ').length >= 4, `${path}: ${text}`);
	}
	assert.ok(descriptions.size > 1000, String(descriptions.size));
});

test('a client can show a description of at least four words for each printer column', () => {
	const own = DEFINITIONS.flatMap(({ kind, columns }) =>
		columns.filter(({ name }) => name !== 'Name' && name !== 'Age').map((column) => ({ kind, column })),
	);
	for (const { kind, column } of own) {
		assert.ok(column.description.split(' ').length >= 4, `${kind}: ${column.name}: ${column.description}`);
	}
	assert.ok(own.length > 20);
});
