/** How many Pods a Deployment may have at a time (upstream: pkg/controller/deployment/util). */

import type { Deployment } from '../../api/apps/deployment/schema.ts';
import type { ReplicaSet } from '../../api/apps/replicaset/schema.ts';
import { scaledAmount } from '../../api/schema/int-or-percent.ts';

/** The limits of a rolling update as numbers. */
interface Fenceposts {
	readonly surge: number;
	readonly unavailable: number;
}

/**
 * Resolves percentages: those of the surge are rounded up, the others down. If both become 0, one Pod may be unavailable, as
 * no rollout could progress otherwise (upstream: ResolveFenceposts).
 */
function fencepostsOf({ spec }: Deployment): Fenceposts {
	const { replicas = 0, strategy } = spec;
	const { maxSurge: surging = 0, maxUnavailable: missing = 0 } = strategy?.rollingUpdate ?? {};
	const surge = scaledAmount(surging, replicas, Math.ceil);
	const unavailable = scaledAmount(missing, replicas, Math.floor);
	return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** Whether Pods of older templates are replaced step by step. */
export function isRollingUpdate({ spec }: Deployment): boolean {
	return spec.strategy?.type === 'RollingUpdate';
}

/** Number of Pods above the desired number that may exist. */
export function maxSurge(deployment: Deployment): number {
	return isRollingUpdate(deployment) ? fencepostsOf(deployment).surge : 0;
}

/** Number of the desired Pods that may be unavailable. */
export function maxUnavailable(deployment: Deployment): number {
	const { replicas = 0 } = deployment.spec;
	if (!isRollingUpdate(deployment) || replicas === 0) return 0;
	return Math.min(fencepostsOf(deployment).unavailable, replicas);
}

/** The desired number of Pods of a set. */
export function setSize({ spec }: ReplicaSet): number {
	return spec.replicas ?? 0;
}

/** The sum of the desired numbers of Pods. */
export function totalSize(sets: readonly ReplicaSet[]): number {
	return sets.reduce((sum, set) => sum + setSize(set), 0);
}

/** The sum of the available Pods. */
export function totalAvailable(sets: readonly ReplicaSet[]): number {
	return sets.reduce((sum, { status }) => sum + (status.availableReplicas ?? 0), 0);
}

/**
 * The size that the set of the current template may have now, beside the others (upstream: NewRSNewReplicas). `size` is its
 * present one, which counts in `total`.
 */
export function newSetSize(
	deployment: Deployment,
	{ size, total }: { readonly size: number; readonly total: number },
): number {
	const { replicas = 0 } = deployment.spec;
	if (!isRollingUpdate(deployment)) return replicas;
	const most = replicas + maxSurge(deployment);
	return total >= most ? size : size + Math.min(most - total, replicas - size);
}
