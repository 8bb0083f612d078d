/**
 * Pod affinity terms and topology spread constraints can take values from the Pod's own labels
 * (`matchLabelKeys`). The API server merges them into the label selectors once, when the Pod is created, so
 * that schedulers evaluate only the selectors. Upstream: `applyMatchLabelKeysAndMismatchLabelKeys` in
 * pkg/registry/core/pod/strategy.go.
 */

import { entryOf } from '../../../base/json/json.ts';
import type { LabelSelector } from '../../meta/selector.ts';
import type { Affinity, PodAffinityTerm, PodSpec } from './schema.ts';

type Labels = Readonly<Record<string, string>>;

/** The spec with the values of `labels`, those of its Pod, merged into the selectors of its terms. */
export function withOwnLabels(spec: PodSpec, labels: Labels): PodSpec {
	const { affinity, topologySpreadConstraints: constraints } = spec;
	if (!affinity?.podAffinity && !affinity?.podAntiAffinity && !constraints) return spec;
	return {
		...spec,
		...(affinity && { affinity: affinityWith(affinity, labels) }),
		...(constraints && {
			topologySpreadConstraints: constraints.map((constraint) => withSelector(constraint, labels)),
		}),
	};
}

/** Pod affinity and anti-affinity; node affinity selects nodes, not Pods. */
function affinityWith(affinity: Affinity, labels: Labels): Affinity {
	const { podAffinity, podAntiAffinity } = affinity;
	return {
		...affinity,
		...(podAffinity && { podAffinity: termsWith(podAffinity, labels) }),
		...(podAntiAffinity && { podAntiAffinity: termsWith(podAntiAffinity, labels) }),
	};
}

/** Both lists, since a preferred term only wraps a term with a weight. */
function termsWith(
	affinity: NonNullable<Affinity['podAffinity']>,
	labels: Labels,
): NonNullable<Affinity['podAffinity']> {
	const {
		requiredDuringSchedulingIgnoredDuringExecution: needed,
		preferredDuringSchedulingIgnoredDuringExecution: preferred,
	} = affinity;
	return {
		...affinity,
		...(needed && {
			requiredDuringSchedulingIgnoredDuringExecution: needed.map((term) => withSelector(term, labels)),
		}),
		...(preferred && {
			preferredDuringSchedulingIgnoredDuringExecution: preferred.map((each) => ({
				...each,
				podAffinityTerm: withSelector(each.podAffinityTerm, labels),
			})),
		}),
	};
}

/** The fields that affinity terms and spread constraints have in common. */
type Term = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

function withSelector<T extends Term>(term: T, labels: Labels): T {
	const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
	// A term without a selector matches no Pod. Adding one would make it match; validation refuses the keys.
	if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return term;
	const added = [
		...requirements(matchLabelKeys, 'In', labels),
		...requirements(mismatchLabelKeys, 'NotIn', labels),
	];
	const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
	return { ...term, labelSelector: { ...labelSelector, matchExpressions } };
}

/** One requirement for each key that the Pod has as a label; other keys are ignored, as upstream does. */
function requirements(
	keys: readonly string[],
	operator: 'In' | 'NotIn',
	labels: Labels,
): NonNullable<LabelSelector['matchExpressions']> {
	return keys.flatMap((key) => {
		const value = entryOf(labels, key);
		return value === undefined ? [] : [{ key, operator, values: [value] }];
	});
}
