import { entryOf } from '../../../base/json.ts';
import type { LabelSelector } from '../../meta/selector.ts';
import type { Affinity, PodAffinityTerm, PodSpec } from './schema.ts';

/**
 * Affinity and spread terms may take values from the Pod's own labels (`matchLabelKeys`). They are written
 * into the selectors once, when the Pod is created, so that schedulers need not know of them.
 */

type Labels = Readonly<Record<string, string>>;

/** The spec with the values of `labels` in its selectors; the same spec where no term asks for any. */
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

function affinityWith(affinity: Affinity, labels: Labels): Affinity {
	const { podAffinity, podAntiAffinity } = affinity;
	return {
		...affinity,
		...(podAffinity && { podAffinity: termsWith(podAffinity, labels) }),
		...(podAntiAffinity && { podAntiAffinity: termsWith(podAntiAffinity, labels) }),
	};
}

function termsWith(
	affinity: NonNullable<Affinity['podAffinity']>,
	labels: Labels,
): NonNullable<Affinity['podAffinity']> {
	const {
		requiredDuringSchedulingIgnoredDuringExecution: needed,
		preferredDuringSchedulingIgnoredDuringExecution: wished,
	} = affinity;
	return {
		...affinity,
		...(needed && {
			requiredDuringSchedulingIgnoredDuringExecution: needed.map((term) => withSelector(term, labels)),
		}),
		...(wished && {
			preferredDuringSchedulingIgnoredDuringExecution: wished.map((each) => ({
				...each,
				podAffinityTerm: withSelector(each.podAffinityTerm, labels),
			})),
		}),
	};
}

type Term = Pick<PodAffinityTerm, 'labelSelector' | 'matchLabelKeys' | 'mismatchLabelKeys'>;

function withSelector<T extends Term>(term: T, labels: Labels): T {
	const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
	// A term without a selector matches nothing, whatever the labels.
	if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return term;
	const added = [
		...requirements(matchLabelKeys, 'In', labels),
		...requirements(mismatchLabelKeys, 'NotIn', labels),
	];
	const matchExpressions = [...(labelSelector.matchExpressions ?? []), ...added];
	return { ...term, labelSelector: { ...labelSelector, matchExpressions } };
}

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
