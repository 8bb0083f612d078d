import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Cluster, NodeView } from '../cluster/cluster.ts';

/** The highest score of a node (upstream: MaxNodeScore). */
export const MAX_SCORE = 100;

/** A preference among the fitting nodes, with the name and default weight of upstream's Score plugin. */
export interface Score {
	readonly name: string;
	readonly weight: number;
	/**
	 * A score from 0 to {@link MAX_SCORE} for each of `views`, higher for a better node; undefined if the Pod has
	 * no such preference, so that all nodes are equal.
	 */
	rate(pod: Pod, views: readonly NodeView[], cluster: Cluster): readonly number[] | undefined;
}

/** Scales the values so that the largest becomes {@link MAX_SCORE} (upstream: DefaultNormalizeScore). */
export function inProportion(values: readonly number[]): readonly number[] {
	const largest = Math.max(0, ...values);
	return largest === 0 ? values : values.map((value) => Math.trunc((MAX_SCORE * value) / largest));
}

/** Like {@link inProportion}, but reversed, for values of which fewer are better: the largest becomes 0. */
export function inReverse(values: readonly number[]): readonly number[] {
	return inProportion(values).map((value) => MAX_SCORE - value);
}
