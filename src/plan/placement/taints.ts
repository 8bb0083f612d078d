import type { Taint } from '../../api/core/node/schema.ts';
import type { Toleration } from '../../api/core/pod/schema.ts';
import { memoize } from '../../base/collections/memoize.ts';

/**
 * The first NoSchedule or NoExecute taint that the tolerations do not match; undefined if all are tolerated.
 */
export function untoleratedTaint(
	taints: readonly Taint[] | undefined,
	tolerations: readonly Toleration[] | undefined,
): Taint | undefined {
	return taints?.find(
		(taint) =>
			(taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerationOf(taint, tolerations),
	);
}

/** The first of a Pod's tolerations that matches `taint`, or undefined. */
export function tolerationOf(
	taint: Taint,
	tolerations: readonly Toleration[] | undefined,
): Toleration | undefined {
	if (!tolerations) return undefined;
	if (tolerations.length <= FEW) return tolerations.find((each) => tolerates(each, taint));
	const byKey = positionsByKey(tolerations);
	const matches = (position: number): boolean => {
		const toleration = tolerations[position];
		return toleration !== undefined && tolerates(toleration, taint);
	};
	const ofKey = byKey.get(taint.key)?.find(matches);
	const ofAny = byKey.get(ANY_KEY)?.find(matches);
	return tolerations[Math.min(ofKey ?? Infinity, ofAny ?? Infinity)];
}

/** Up to this number of tolerations a linear search is faster than an index. */
const FEW = 8;

/** The key of a toleration that matches taints of every key. */
const ANY_KEY = '';

/**
 * The positions of the tolerations of each key, without duplicates. A node can have 6,000 taints and a Pod as
 * many tolerations: comparing each pair took a second. With the index each taint is compared with few
 * tolerations, because a node has at most three taints of a key, and there are few different tolerations for
 * them.
 */
const positionsByKey = memoize(
	(tolerations: readonly Toleration[]): ReadonlyMap<string, readonly number[]> => {
		const positions = new Map<string, number[]>();
		const seen = new Set<string>();
		for (const [position, { key = ANY_KEY, operator, value, effect }] of tolerations.entries()) {
			const covered = JSON.stringify([key, operator, value, effect]);
			if (seen.has(covered)) continue;
			seen.add(covered);
			const ofKey = positions.get(key);
			if (ofKey) ofKey.push(position);
			else positions.set(key, [position]);
		}
		return positions;
	},
);

/** Whether `toleration` matches `taint` (upstream: Toleration.ToleratesTaint). */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
	if (toleration.effect && toleration.effect !== taint.effect) return false;
	if (toleration.key && toleration.key !== taint.key) return false;
	if (toleration.operator === 'Exists') return true;
	return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
}
