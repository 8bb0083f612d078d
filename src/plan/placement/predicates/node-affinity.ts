import type { NodeSelectorTerm, Pod } from '../../../api/core/pod/schema.ts';
import { requiredNodeTerms, wantsNode } from '../node-selector.ts';
import { type Predicate, refusedFor } from './predicate.ts';

const REFUSAL = refusedFor("node(s) didn't match Pod's node affinity/selector");

/** The node must match the Pod's nodeSelector and required node affinity (upstream: nodeaffinity). */
export const nodeAffinity: Predicate = {
	name: 'NodeAffinity',
	retryOn: ['node-added', 'node-labels'],
	prepare: (pod) => {
		const names = nodesNamed(pod);
		if (names?.size === 0) return { kind: 'no node', reason: 'pod affinity terms conflict' };
		if (!pod.spec.nodeSelector && !requiredNodeTerms(pod)) return undefined;
		return {
			kind: 'check',
			...(names && { only: names }),
			refusal: ({ node }) => (wantsNode(pod, node) ? undefined : REFUSAL),
		};
	},
};

/** The nodes that the required terms name; undefined if one names none, because one matching term is enough. */
function nodesNamed(pod: Pod): ReadonlySet<string> | undefined {
	const terms = requiredNodeTerms(pod);
	if (!terms || terms.length === 0) return undefined;
	const named = new Set<string>();
	for (const term of terms) {
		const names = namesIn(term);
		if (!names) return undefined;
		for (const name of names) named.add(name);
	}
	return named;
}

/**
 * The node names that all requirements of a term list; undefined if it has no requirement for `metadata.name`.
 */
function namesIn({ matchFields = [] }: NodeSelectorTerm): readonly string[] | undefined {
	const lists = matchFields
		.filter(({ key, operator }) => key === 'metadata.name' && operator === 'In')
		.map(({ values = [] }) => values);
	const [first, ...rest] = lists;
	return first?.filter((name) => rest.every((list) => list.includes(name)));
}
