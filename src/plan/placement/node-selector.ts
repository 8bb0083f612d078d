import type { Node } from '../../api/core/node/schema.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../../api/core/pod/schema.ts';
import { isWholeNumber } from '../../api/meta/selector.ts';
import { entryOf } from '../../base/json/json.ts';
import type { Labels } from './labels.ts';

/** The terms of the Pod's required node affinity, of which one must match; undefined if it has none. */
export function requiredNodeTerms({ spec }: Pod): readonly NodeSelectorTerm[] | undefined {
	return spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
}

/** Whether the Pod's nodeSelector and required node affinity match `node`. */
export function wantsNode(pod: Pod, node: Node): boolean {
	for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
		if (entryOf(node.metadata.labels, key) !== value) return false;
	return requiredNodeTerms(pod)?.some((term) => matchesNodeTerm(term, node)) ?? true;
}

/** Whether the node meets all requirements of the term. A term without requirements matches no node. */
export function matchesNodeTerm(term: NodeSelectorTerm, { metadata }: Node): boolean {
	const { matchExpressions = [], matchFields = [] } = term;
	if (matchExpressions.length + matchFields.length === 0) return false;
	const fields = { 'metadata.name': metadata.name ?? '' };
	return (
		matchExpressions.every((requirement) => meets(requirement, metadata.labels)) &&
		matchFields.every((requirement) => meets(requirement, fields))
	);
}

function meets(requirement: NodeSelectorRequirement, labels: Labels): boolean {
	const { key, operator, values = [] } = requirement;
	const value = entryOf(labels, key);
	switch (operator) {
		case 'In':
			return value !== undefined && values.includes(value);
		case 'NotIn':
			return value === undefined || !values.includes(value);
		case 'Exists':
			return value !== undefined;
		case 'DoesNotExist':
			return value === undefined;
		case 'Gt':
			return compare(value, values[0], (a, b) => a > b);
		case 'Lt':
			return compare(value, values[0], (a, b) => a < b);
		default:
			return false;
	}
}

/** Compares whole numbers; any other value does not match. */
function compare(
	value: string | undefined,
	bound: string | undefined,
	holds: (a: bigint, b: bigint) => boolean,
): boolean {
	if (value === undefined || bound === undefined) return false;
	return isWholeNumber(value) && isWholeNumber(bound) && holds(BigInt(value), BigInt(bound));
}
