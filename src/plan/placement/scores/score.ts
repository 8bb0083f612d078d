import type { Pod } from '../../../api/core/pod/schema.ts';
import type { Cluster, NodeView } from '../cluster.ts';

/** The best that a score can give. */
export const MOST = 100;

/** A preference among the nodes that a Pod fits on, by the name and weight of upstream's scheduler plugin. */
export interface Score {
	readonly name: string;
	readonly weight: number;
	/**
	 * A number from 0 to {@link MOST} for each of `views`, more for a better node; undefined where the Pod has
	 * no such preference.
	 */
	rate(pod: Pod, views: readonly NodeView[], cluster: Cluster): readonly number[] | undefined;
}

/** The values in proportion to the largest, which becomes {@link MOST} (upstream: DefaultNormalizeScore). */
export function inProportion(values: readonly number[]): readonly number[] {
	const largest = Math.max(0, ...values);
	return largest === 0 ? values : values.map((value) => Math.trunc((MOST * value) / largest));
}

/** The same turned around: the fewest of something bad is best. */
export function inReverse(values: readonly number[]): readonly number[] {
	return inProportion(values).map((value) => MOST - value);
}
