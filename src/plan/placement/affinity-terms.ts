import type { Pod, PodAffinityTerm } from '../../api/core/pod/schema.ts';
import { matches, NOTHING, type Selector, selectorOf } from '../../api/meta/selector.ts';
import type { Labels } from './labels.ts';

/** Returns the labels of a namespace; undefined if the namespace is unknown. */
export type NamespaceLabels = (namespace: string) => Labels;

/** A Pod affinity term, prepared for matching. */
export interface AffinityTerm {
	/** Equal for equivalent terms, so that the counts in occupancy.ts are shared between Pods of one template. */
	readonly signature: string;
	readonly topologyKey: string;
	readonly namespaces: readonly string[];
	readonly namespaceSelector: Selector;
	readonly selector: Selector;
}

/** A preferred term. The weight is negative for an anti-affinity. */
export interface WeightedTerm {
	readonly term: AffinityTerm;
	readonly weight: number;
}

/** The affinity terms of a Pod: required affinity, required anti-affinity, and preferred ones of both kinds. */
export interface PodTerms {
	readonly affinity: readonly AffinityTerm[];
	readonly antiAffinity: readonly AffinityTerm[];
	readonly preferred: readonly WeightedTerm[];
}

const NO_TERMS: PodTerms = { affinity: [], antiAffinity: [], preferred: [] };
/**
 * Prepared terms by affinity object. Each placement reads the terms of many Pods, so they are prepared only
 * once.
 */
const cached = new WeakMap<object, { readonly namespace: string; readonly terms: PodTerms }>();

/** The inter-Pod affinity terms of a Pod. */
export function termsOf({ metadata, spec: { affinity } }: Pod): PodTerms {
	if (!affinity?.podAffinity && !affinity?.podAntiAffinity) return NO_TERMS;
	const { namespace = '' } = metadata;
	const known = cached.get(affinity);
	if (known?.namespace === namespace) return known.terms;
	const ready = (term: PodAffinityTerm): AffinityTerm => readyTerm(term, namespace);
	const { podAffinity, podAntiAffinity } = affinity;
	const preferred = [
		...weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, 1),
		...weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution, -1),
	];
	const terms: PodTerms = {
		affinity: podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map(ready) ?? [],
		antiAffinity: podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map(ready) ?? [],
		preferred: preferred.map(({ term, weight }) => ({ term: ready(term), weight })),
	};
	cached.set(affinity, { namespace, terms });
	return terms;
}

interface Weighted {
	readonly weight: number;
	readonly podAffinityTerm: PodAffinityTerm;
}

function weighted(
	terms: readonly Weighted[] = [],
	sign: 1 | -1,
): readonly { readonly term: PodAffinityTerm; readonly weight: number }[] {
	return terms.map(({ podAffinityTerm, weight }) => ({ term: podAffinityTerm, weight: sign * weight }));
}

/** Prepares a term. Without `namespaces` and `namespaceSelector` it applies to the namespace of its own Pod. */
function readyTerm(term: PodAffinityTerm, own: string): AffinityTerm {
	const { labelSelector, namespaces = [], namespaceSelector, topologyKey } = term;
	const meant = namespaces.length === 0 && namespaceSelector === undefined ? [own] : namespaces;
	return {
		signature: JSON.stringify([topologyKey, meant, namespaceSelector, labelSelector]),
		topologyKey,
		namespaces: meant,
		namespaceSelector: namespaceSelector ? selectorOf(namespaceSelector) : NOTHING,
		selector: selectorOf(labelSelector),
	};
}

/** Whether the term matches `pod`. */
export function termMatches(
	term: AffinityTerm,
	{ metadata }: Pod,
	namespaceLabels: NamespaceLabels,
): boolean {
	const { namespace = '', labels } = metadata;
	const inScope =
		term.namespaces.includes(namespace) ||
		(term.namespaceSelector !== NOTHING && matches(term.namespaceSelector, namespaceLabels(namespace)));
	return inScope && matches(term.selector, labels);
}
