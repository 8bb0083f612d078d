import type { Toleration } from '../../../api/core/pod/schema.ts';
import type { NodeView } from '../cluster/cluster.ts';
import { tolerationOf } from '../taints.ts';
import { inReverse, type Score } from './score.ts';

/**
 * Prefers nodes with fewer PreferNoSchedule taints that the Pod does not tolerate (upstream: tainttoleration).
 */
export const taintTolerationScore: Score = {
	name: 'TaintToleration',
	weight: 3,
	rate: ({ spec: { tolerations = [] } }, views) =>
		inReverse(views.map((view) => countIntolerable(view, tolerations))),
};

function countIntolerable({ node }: NodeView, tolerations: readonly Toleration[]): number {
	const soft = node.spec.taints?.filter(({ effect }) => effect === 'PreferNoSchedule') ?? [];
	return soft.filter((taint) => !tolerationOf(taint, tolerations)).length;
}
