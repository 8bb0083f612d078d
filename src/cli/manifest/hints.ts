import { apiVersionOf } from '../../api/contract/resource-definition.ts';
import { resources } from '../../api/resources.ts';
import type { ObjectNode, SchemaNode } from '../../api/schema/schema.ts';
import { nearest } from '../args/did-you-mean.ts';

/**
 * The hint for an unknown field: the most similar field of the same object, or the objects that have a field
 * of this name. Undefined if there are none.
 */
export function fieldHint(schema: ObjectNode, path: string): string | undefined {
	// Indexes of lists are not part of the schema.
	const steps = path.split('.').map((step) => step.replace(/\[.*$/, ''));
	const name = steps.pop() ?? '';
	let node: SchemaNode | undefined = schema;
	for (const step of steps) node = node && childOf(node, step);
	while (node?.type === 'list') node = node.items;
	if (node?.type !== 'object') return undefined;
	const found = nearest(name, Object.keys(node.fields));
	if (found !== undefined) return `did you mean "${found}"?`;
	const elsewhere = placesOf(name, schema);
	return elsewhere.length > 0 ? `"${name}" belongs under ${elsewhere.slice(0, 2).join(' or ')}` : undefined;
}

/** The schema of a field; of an item if the node is a list. Undefined if the schema has no such field. */
function childOf(node: SchemaNode, step: string): SchemaNode | undefined {
	if (node.type === 'list') return childOf(node.items, step);
	if (node.type === 'map') return node.values;
	return node.type === 'object' ? node.fields[step]?.schema : undefined;
}

/** Levels that {@link placesOf} searches: down to the fields of a container in a Job. */
const DEEPEST = 5;

/** Paths of objects that have a field of this name, outermost first: wrong indentation is a common mistake. */
function placesOf(name: string, schema: ObjectNode): readonly string[] {
	const found: string[] = [];
	let level: readonly { readonly path: string; readonly node: SchemaNode }[] = [{ path: '', node: schema }];
	for (let depth = 0; depth < DEEPEST && found.length === 0; depth++) {
		level = level.flatMap(({ path, node }) => {
			const inner = node.type === 'list' ? node.items : node;
			if (inner.type !== 'object') return [];
			if (path !== '' && Object.hasOwn(inner.fields, name)) found.push(path);
			return Object.entries(inner.fields)
				.filter(([field]) => field !== 'status' && field !== 'metadata')
				.map(([field, { schema: next }]) => ({ path: path === '' ? field : `${path}.${field}`, node: next }));
		});
	}
	return found;
}

/** The hint for a value that validation rejected with `message`; undefined if we have none. */
export function valueHint(message: string): string | undefined {
	// JSON with comments is the usual cause: YAML reads the slashes as a part of the value.
	if (/\s\/\/\s/.test(message)) return 'a comment in YAML starts with #';
	const match = /^Unsupported value: "(.*?)": supported values: (.*)$/.exec(message);
	if (!match) return undefined;
	const supported = [...(match[2] ?? '').matchAll(/"([^"]*)"/g)].map(([, value = '']) => value);
	const found = nearest(match[1] ?? '', supported);
	return found === undefined ? undefined : `did you mean "${found}"?`;
}

/** The hint for a value of the wrong type, derived from the message of Go's decoder, which names both types. */
export function typeHint(message: string): string | undefined {
	const match = /cannot unmarshal (\S+).* of type (\S+)$/.exec(message);
	const [, found = '', wanted = ''] = match ?? [];
	if (/^u?int|^float/.test(wanted))
		return found === 'string' ? 'expected a number, without quotes' : 'expected an integer';
	if (wanted === 'bool') return 'expected true or false, without quotes';
	if (wanted === 'string')
		return /^(number|bool)/.test(found) ? 'expected a string: put it in quotes' : 'expected a string';
	if (wanted.startsWith('[]')) return 'expected a list: each item on a line that starts with a dash';
	if (/^(map\[|v1\.|\w+\.\w+$)/.test(wanted))
		return 'expected a map: each field on its own line, indented further';
	return undefined;
}

/** The hint for an apiVersion and kind that the server does not serve, and which of the two fields is wrong. */
export function kindHint(kind: string): { readonly path: string; readonly hint: string } {
	const named = resources.find((each) => each.kind.toLowerCase() === kind.toLowerCase());
	if (named && named.kind !== kind) return { path: 'kind', hint: `did you mean "${named.kind}"?` };
	if (named) return { path: 'apiVersion', hint: `did you mean "${apiVersionOf(named)}"?` };
	const kinds = resources.map((each) => each.kind).sort();
	const near = nearest(kind, kinds);
	const hint = near ? `did you mean "${near}"?` : `supported kinds: ${kinds.join(', ')}`;
	return { path: 'kind', hint };
}
