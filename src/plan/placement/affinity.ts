import type { Node } from '../../api/core/node/schema.ts';
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../../api/core/pod/schema.ts';

/** Whether the Pod's nodeSelector and required node affinity admit `node`. */
export function wantsNode(pod: Pod, node: Node): boolean {
	const labels = node.metadata.labels ?? {};
	for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
		if (labels[key] !== value) return false;
	const terms =
		pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
	return !terms || terms.some((term) => matchesTerm(term, node));
}

/** A term holds when all its expressions do; one without any holds for no node. */
function matchesTerm(term: NodeSelectorTerm, node: Node): boolean {
	const { matchExpressions = [], matchFields = [] } = term;
	if (matchExpressions.length + matchFields.length === 0) return false;
	const labels = node.metadata.labels ?? {};
	const fields = { 'metadata.name': node.metadata.name ?? '' };
	return (
		matchExpressions.every((requirement) => meets(requirement, labels)) &&
		matchFields.every((requirement) => meets(requirement, fields))
	);
}

function meets(requirement: NodeSelectorRequirement, labels: Readonly<Record<string, string>>): boolean {
	const { key, operator, values = [] } = requirement;
	const value = labels[key];
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
			return value !== undefined && Number(value) > Number(values[0]);
		case 'Lt':
			return value !== undefined && Number(value) < Number(values[0]);
		default:
			return false;
	}
}
