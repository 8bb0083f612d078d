import { apiVersionOf } from '../../api/meta/resource.ts';
import type { ObjectNode, SchemaNode } from '../../api/meta/schema.ts';
import { resources } from '../../api/resources.ts';
import { nearest } from '../nearest.ts';

/** What an unknown field was probably meant to be: the nearest name that its object has. */
export function fieldHint(schema: ObjectNode, path: string): string | undefined {
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

function childOf(node: SchemaNode, step: string): SchemaNode | undefined {
	if (node.type === 'list') return childOf(node.items, step);
	if (node.type === 'map') return node.values;
	return node.type === 'object' ? node.fields[step]?.schema : undefined;
}

/** How deep a field is looked for: as deep as those of a container in a Job. */
const DEEPEST = 5;

/** The objects that have a field of this name, the outermost first: a wrong indentation is a common slip. */
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

/** What to write instead of a value that was refused with `message`, where that can be told. */
export function valueHint(message: string): string | undefined {
	if (/\s\/\/\s/.test(message)) return 'comments of YAML begin with #';
	const match = /^Unsupported value: "(.*?)": supported values: (.*)$/.exec(message);
	if (!match) return undefined;
	const supported = [...(match[2] ?? '').matchAll(/"([^"]*)"/g)].map(([, value = '']) => value);
	const found = nearest(match[1] ?? '', supported);
	return found === undefined ? undefined : `did you mean "${found}"?`;
}

/** What a value of the wrong type should have been, by the words of Go's decoder. */
export function typeHint(message: string): string | undefined {
	const match = /cannot unmarshal (\S+).* of type (\S+)$/.exec(message);
	const [, found = '', wanted = ''] = match ?? [];
	if (/^u?int|^float/.test(wanted))
		return found === 'string' ? 'a number is wanted, without quotes' : 'a whole number is wanted';
	if (wanted === 'bool') return 'true or false is wanted, without quotes';
	if (wanted === 'string')
		return /^(number|bool)/.test(found) ? 'text is wanted: put it in quotes' : 'text is wanted';
	if (wanted.startsWith('[]')) return 'a list is wanted: each item on a line that begins with a dash';
	if (/^(map\[|v1\.|\w+\.\w+$)/.test(wanted))
		return 'a map is wanted: fields on lines of their own, deeper indented';
	return undefined;
}

/** What is wrong with apiVersion and kind that name nothing that is served, and at which of the two. */
export function kindHint(kind: string): { readonly path: string; readonly hint: string } {
	const named = resources.find((each) => each.kind.toLowerCase() === kind.toLowerCase());
	if (named && named.kind !== kind) return { path: 'kind', hint: `did you mean "${named.kind}"?` };
	if (named) return { path: 'apiVersion', hint: `did you mean "${apiVersionOf(named)}"?` };
	const kinds = resources.map((each) => each.kind).sort();
	const near = nearest(kind, kinds);
	const hint = near ? `did you mean "${near}"?` : `what is served: ${kinds.join(', ')}`;
	return { path: 'kind', hint };
}
