import type { Taint } from '../../api/core/node/schema.ts';
import type { Toleration } from '../../api/core/pod/schema.ts';

/** The first of `taints` that keeps a Pod with these tolerations off the node, or undefined. */
export function untoleratedTaint(
	taints: readonly Taint[] | undefined,
	tolerations: readonly Toleration[] | undefined,
): Taint | undefined {
	return taints?.find(
		(taint) =>
			(taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
			!tolerations?.some((toleration) => tolerates(toleration, taint)),
	);
}

/** Whether `toleration` covers `taint`, by the rules of v1.Toleration. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
	if (toleration.effect && toleration.effect !== taint.effect) return false;
	if (toleration.key && toleration.key !== taint.key) return false;
	if (toleration.operator === 'Exists') return true;
	return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
}
