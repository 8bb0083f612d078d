import type { NodeSelectorTerm } from '../../../api/core/pod/schema.ts';
import type { NodeView } from '../cluster/cluster.ts';
import { matchesNodeTerm } from '../node-selector.ts';
import { inProportion, type Score } from './score.ts';

/** The Pod's preferred node affinity: the sum of the weights of the matching terms (upstream: nodeaffinity). */
export const nodeAffinityScore: Score = {
	name: 'NodeAffinity',
	weight: 2,
	rate: ({ spec }, views) => {
		const terms = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
		if (terms.length === 0) return undefined;
		return inProportion(views.map((view) => sumOfMatching(terms, view)));
	},
};

interface PreferredTerm {
	readonly weight: number;
	readonly preference: NodeSelectorTerm;
}

function sumOfMatching(terms: readonly PreferredTerm[], { node }: NodeView): number {
	return terms
		.filter(({ preference }) => matchesNodeTerm(preference, node))
		.reduce((sum, { weight }) => sum + weight, 0);
}
