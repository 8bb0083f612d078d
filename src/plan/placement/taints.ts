import type { Taint } from '../../api/core/node/schema.ts';
import type { Toleration } from '../../api/core/pod/schema.ts';
import { memoize } from '../../base/memoize.ts';

/** The first of `taints` that keeps a Pod with these tolerations off the node, or undefined. */
export function untoleratedTaint(
	taints: readonly Taint[] | undefined,
	tolerations: readonly Toleration[] | undefined,
): Taint | undefined {
	return taints?.find(
		(taint) =>
			(taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerationOf(taint, tolerations),
	);
}

/** The first of a Pod's tolerations that covers `taint`, or undefined. */
export function tolerationOf(
	taint: Taint,
	tolerations: readonly Toleration[] | undefined,
): Toleration | undefined {
	if (!tolerations) return undefined;
	if (tolerations.length <= FEW) return tolerations.find((each) => tolerates(each, taint));
	const byKey = placesByKey(tolerations);
	const isCovering = (place: number): boolean => {
		const toleration = tolerations[place];
		return toleration !== undefined && tolerates(toleration, taint);
	};
	const ofKey = byKey.get(taint.key)?.find(isCovering);
	const ofAny = byKey.get(ANY_KEY)?.find(isCovering);
	return tolerations[Math.min(ofKey ?? Infinity, ofAny ?? Infinity)];
}

/** So many tolerations are looked through for each taint. */
const FEW = 8;

/** The key of a toleration that covers taints of every key. */
const ANY_KEY = '';

/**
 * The places of the tolerations of each key, without those that cover no more than an earlier one. A node can
 * have 6,000 taints and a Pod as many tolerations: to try each pair took a second. A node has a key three times
 * at most, and there are four different tolerations of every key.
 */
const placesByKey = memoize((tolerations: readonly Toleration[]): ReadonlyMap<string, readonly number[]> => {
	const places = new Map<string, number[]>();
	const seen = new Set<string>();
	for (const [place, { key = ANY_KEY, operator, value, effect }] of tolerations.entries()) {
		const covered = JSON.stringify([key, operator, value, effect]);
		if (seen.has(covered)) continue;
		seen.add(covered);
		const ofKey = places.get(key);
		if (ofKey) ofKey.push(place);
		else places.set(key, [place]);
	}
	return places;
});

/** Whether `toleration` covers `taint`, by the rules of v1.Toleration. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
	if (toleration.effect && toleration.effect !== taint.effect) return false;
	if (toleration.key && toleration.key !== taint.key) return false;
	if (toleration.operator === 'Exists') return true;
	return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
}
