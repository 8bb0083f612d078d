import { apiVersionOf } from '../../api/meta/resource.ts';
import type { ObjectNode, SchemaNode } from '../../api/meta/schema.ts';
import { resources } from '../../api/resources.ts';

/** The field that an unknown one was probably meant to be: the nearest name that its object has. */
export function fieldHint(schema: ObjectNode, path: string): string | undefined {
	const steps = path.split('.').map((step) => step.replace(/\[.*$/, ''));
	const name = steps.pop() ?? '';
	let node: SchemaNode | undefined = schema;
	for (const step of steps) node = node && childOf(node, step);
	while (node?.type === 'list') node = node.items;
	return node?.type === 'object' ? nearest(name, Object.keys(node.fields)) : undefined;
}

function childOf(node: SchemaNode, step: string): SchemaNode | undefined {
	if (node.type === 'list') return childOf(node.items, step);
	if (node.type === 'map') return node.values;
	return node.type === 'object' ? node.fields[step]?.schema : undefined;
}

/** The supported value that was probably meant, read off an error's `supported values: "A", "B"`. */
export function valueHint(message: string): string | undefined {
	const match = /^Unsupported value: "(.*?)": supported values: (.*)$/.exec(message);
	if (!match) return undefined;
	const supported = [...(match[2] ?? '').matchAll(/"([^"]*)"/g)].map(([, value = '']) => value);
	return nearest(match[1] ?? '', supported);
}

/** What to write where apiVersion and kind name nothing that is served. */
export function kindHint(apiVersion: string, kind: string): string {
	const sameKind = resources.find((each) => each.kind.toLowerCase() === kind.toLowerCase());
	if (sameKind) {
		const right = `apiVersion: ${apiVersionOf(sameKind)}, kind: ${sameKind.kind}`;
		return apiVersionOf(sameKind) === apiVersion
			? `did you mean kind: ${sameKind.kind}?`
			: `did you mean ${right}?`;
	}
	return `stint serves ${resources
		.map((each) => each.kind)
		.sort()
		.join(', ')}`;
}

/** The candidate that differs least from `word`, if it is near enough to be a slip of the hand. */
function nearest(word: string, candidates: readonly string[]): string | undefined {
	const limit = Math.max(1, Math.floor(word.length / 3));
	let best: { readonly candidate: string; readonly distance: number } | undefined;
	for (const candidate of candidates) {
		const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
		if (distance <= limit && (!best || distance < best.distance)) best = { candidate, distance };
	}
	return best?.candidate;
}

/** How many letters have to be put in, taken out or replaced. */
function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
		}
		row = next;
	}
	return row[b.length] ?? 0;
}
