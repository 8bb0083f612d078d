/**
 * Whether a budget allows an eviction (upstream: `EvictionREST.Create` and `checkAndDecrement` in
 * pkg/registry/core/pod/storage/eviction.go).
 */

import type { Pod } from '../../api/core/pod/schema.ts';
import { findCondition, isConditionTrue } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { PodDisruptionBudget } from '../../api/policy/poddisruptionbudget/schema.ts';
import { withAllowance } from './plan-disruption.ts';

/** More evictions than this that the disruption controller has not confirmed are not allowed. */
const MAX_DISRUPTED_PODS = 2000;

/** The answer of a budget. */
export type Allowance =
	/** Evict the Pod, and write this status first. */
	| { readonly kind: 'grant'; readonly status: PodDisruptionBudget['status'] }
	/** Forbidden, for a reason that waiting does not change. */
	| { readonly kind: 'forbid'; readonly reason: string; readonly cause: string }
	/** Too many requests: try again later. */
	| { readonly kind: 'refuse'; readonly cause: string; readonly retryAfterSeconds: number };

/** Whether budgets do not matter for the Pod: it does not run, or is deleted already. */
export function ignoresBudgets({ metadata, status }: Pod): boolean {
	return (
		Boolean(metadata.deletionTimestamp) ||
		['Succeeded', 'Failed', 'Pending'].includes(status.phase ?? 'Pending')
	);
}

/** Whether the Pod, which is not ready, may be evicted without using up the budget. */
export function isFreeToEvict(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
	if (isConditionTrue(pod.status.conditions, 'Ready')) return false;
	if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
	return status.desiredHealthy > 0 && status.currentHealthy >= status.desiredHealthy;
}

/** The cause of a refusal while the status of the budget is older than its spec. */
export function stillProcessing(budgetName: string): Extract<Allowance, { kind: 'refuse' }> {
	const cause = `The disruption budget ${budgetName} is still being processed by the server.`;
	return { kind: 'refuse', cause, retryAfterSeconds: 10 };
}

/** Takes one disruption from the budget for the Pod. */
export function takeDisruption(budget: PodDisruptionBudget, podName: string, now: number): Allowance {
	const { metadata, status } = budget;
	const { name = '', generation = 0 } = metadata;
	const { disruptedPods = {}, observedGeneration = 0, disruptionsAllowed } = status;
	if (observedGeneration < generation) return stillProcessing(name);
	const not = `The disruption budget ${name} does not allow evicting pods currently`;
	if (disruptionsAllowed < 0) {
		const reason = 'pdb disruptions allowed is negative';
		return { kind: 'forbid', reason, cause: `${not}: ${reason}` };
	}
	if (Object.keys(disruptedPods).length > MAX_DISRUPTED_PODS) {
		const reason = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
		const cause = `${not}: too many pending evictions not confirmed by PDB controller`;
		return { kind: 'forbid', reason, cause };
	}
	if (disruptionsAllowed === 0)
		return { kind: 'refuse', cause: whyExhausted(budget, not), retryAfterSeconds: 0 };
	const next = {
		...status,
		disruptionsAllowed: disruptionsAllowed - 1,
		disruptedPods: { ...disruptedPods, [podName]: formatTime(now) },
	};
	return { kind: 'grant', status: next.disruptionsAllowed === 0 ? withAllowance(next, now) : next };
}

function whyExhausted({ metadata: { name }, status }: PodDisruptionBudget, not: string): string {
	const { currentHealthy, desiredHealthy, conditions } = status;
	const condition = findCondition(conditions, 'DisruptionAllowed');
	const told = condition?.status === 'False' && condition.message !== '' ? condition : undefined;
	if (told?.reason === 'SyncFailed') return `${not} because it failed sync: ${told.message}`;
	if (currentHealthy <= desiredHealthy) {
		return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
	}
	return told ? `${not} (${told.reason}): ${told.message}` : not;
}
