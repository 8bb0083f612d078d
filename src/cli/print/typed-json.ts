import type { ObjectNode, SchemaNode } from '../../api/schema/schema.ts';
import { isList, isRecord } from '../../base/json/json.ts';
import { escapeHtml } from './json.ts';

/**
 * JSON as kubectl prints objects that it has made itself: the fields in the order of the Go struct, beginning with `kind`
 * and `apiVersion`, and the keys of maps sorted. (Objects that it only passes on, as in `get`, have sorted fields.)
 */
export function toTypedJson(schema: ObjectNode, value: unknown): string {
	const ordered = inOrder(schema, value);
	const { kind, apiVersion, ...rest } = isRecord(ordered) ? ordered : {};
	return `${escapeHtml(JSON.stringify({ kind, apiVersion, ...rest }, undefined, 4))}\n`;
}

function inOrder(schema: SchemaNode, value: unknown): unknown {
	if (isList(value)) return schema.type === 'list' ? value.map((item) => inOrder(schema.items, item)) : value;
	if (!isRecord(value)) return value;
	if (schema.type === 'object') {
		const known = Object.entries(schema.fields).filter(([name]) => Object.hasOwn(value, name));
		return Object.fromEntries(known.map(([name, field]) => [name, inOrder(field.schema, value[name])]));
	}
	const names = Object.keys(value).sort();
	return Object.fromEntries(
		names.map((name) => [name, schema.type === 'map' ? inOrder(schema.values, value[name]) : value[name]]),
	);
}
