import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import {
	findCondition,
	isConditionTrue,
	type MetaCondition,
	withCondition,
} from '../../api/meta/conditions.ts';
import { labelSelectorText, matches, selectorOf } from '../../api/meta/selector.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';
import type { PodDisruptionBudget } from '../../api/policy/poddisruptionbudget/schema.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { scaledAmount } from '../../api/schema/int-or-percent.ts';
import { expectedScale, type FindOwner } from './expected-scale.ts';

type Status = PodDisruptionBudget['status'];

/** Time in which a Pod must be deleted after its eviction was granted; then it counts again. */
const DELETION_TIMEOUT_MS = 120_000;

/** What the disruption controller does about a budget. */
export interface DisruptionPlan {
	/** The new status; undefined if it is as it must be. */
	readonly status?: Status;
	readonly events: readonly EventText[];
	/** Pods whose eviction was granted and which were not deleted in time: each gets {@link notDeletedEvent}. */
	readonly notDeleted: readonly Pod[];
	/** When the budget must be looked at again, in ms since the epoch. */
	readonly recheckAt?: number;
}

/** The event of a Pod that was not deleted although the budget allowed it. */
export function notDeletedEvent({ metadata: { namespace, name } }: PodDisruptionBudget): EventText {
	const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
	return { type: 'Warning', reason: 'NotDeleted', message };
}

/** Whether the budget covers the Pod. */
export function isCovered({ metadata }: Pod, budget: PodDisruptionBudget): boolean {
	if (metadata.namespace !== budget.metadata.namespace) return false;
	return matches(selectorOf(budget.spec.selector), metadata.labels);
}

/** What the plan depends on besides the budget and its Pods. */
export interface DisruptionContext {
	readonly now: number;
	/** Finds the controllers of the Pods. */
	readonly find: FindOwner;
}

/**
 * Computes the status of a budget from the Pods that it covers (upstream: `trySync` in
 * pkg/controller/disruption/disruption.go).
 *
 * 1. Evictions that were granted count as done until the Pod is deleted, or {@link DELETION_TIMEOUT_MS} have
 *    passed: two evictions cannot use the same allowance.
 * 2. If the number of expected Pods cannot be computed, no eviction is allowed.
 */
export function planDisruption(
	budget: PodDisruptionBudget,
	pods: readonly Pod[],
	{ now, find }: DisruptionContext,
): DisruptionPlan {
	const events: EventText[] = [];
	if (pods.length === 0) events.push({ type: 'Normal', reason: 'NoPods', message: 'No matching pods found' });
	const expected = expectedPods(budget, pods, find);
	const granted = grantedEvictions(budget, pods, now);
	if (typeof expected === 'string') {
		const message = `Failed to calculate the number of expected pods: ${expected}`;
		events.push({ type: 'Warning', reason: 'CalculateExpectedPodCountFailed', message });
		return { ...changed(budget, failed(budget, expected, now)), events, notDeleted: [] };
	}
	if (expected.unmanaged > 0) events.push(unmanagedEvent(budget));
	const healthy = pods.filter((pod) => isHealthy(pod, granted.disruptedPods)).length;
	const allowed = expected.count <= 0 ? 0 : Math.max(healthy - expected.healthy, 0);
	const { disruptedPods, conditions: _old, ...rest } = budget.status;
	const status: Status = {
		...rest,
		currentHealthy: healthy,
		desiredHealthy: expected.healthy,
		expectedPods: expected.count,
		disruptionsAllowed: allowed,
		...(Object.keys(granted.disruptedPods).length > 0 && { disruptedPods: granted.disruptedPods }),
		observedGeneration: budget.metadata.generation ?? 0,
	};
	const complete = withAllowance({ ...status, conditions: budget.status.conditions ?? [] }, now);
	const { recheckAt, notDeleted } = granted;
	return { ...changed(budget, complete), events, notDeleted, ...(recheckAt !== undefined && { recheckAt }) };
}

function changed({ status: old }: PodDisruptionBudget, status: Status): { readonly status?: Status } {
	return semanticEqual(status, old) ? {} : { status };
}

/** The status with the condition DisruptionAllowed (upstream: `UpdateDisruptionAllowedCondition`). */
export function withAllowance(status: Status, now: number): Status {
	const isAllowed = status.disruptionsAllowed > 0;
	const condition: MetaCondition = {
		type: 'DisruptionAllowed',
		status: isAllowed ? 'True' : 'False',
		reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
		message: '',
		lastTransitionTime: formatTime(now),
		...(status.observedGeneration && { observedGeneration: status.observedGeneration }),
	};
	return { ...status, conditions: withCondition(status.conditions, condition) };
}

function failed({ status }: PodDisruptionBudget, message: string, now: number): Status {
	const condition: MetaCondition = {
		type: 'DisruptionAllowed',
		status: 'False',
		reason: 'SyncFailed',
		message,
		lastTransitionTime: formatTime(now),
		...(status.observedGeneration && { observedGeneration: status.observedGeneration }),
	};
	return { ...status, disruptionsAllowed: 0, conditions: withCondition(status.conditions, condition) };
}

interface Expected {
	readonly count: number;
	readonly healthy: number;
	/** Number of Pods without a controller, where controllers are counted. */
	readonly unmanaged: number;
}

/** How many Pods are expected and must be healthy, or why that is unknown (upstream: `getExpectedPodCount`). */
function expectedPods(
	{ spec }: PodDisruptionBudget,
	pods: readonly Pod[],
	find: FindOwner,
): Expected | string {
	const { minAvailable, maxUnavailable } = spec;
	if (maxUnavailable === undefined && typeof minAvailable === 'number') {
		return { count: pods.length, healthy: minAvailable, unmanaged: 0 };
	}
	if (maxUnavailable === undefined && minAvailable === undefined)
		return { count: 0, healthy: 0, unmanaged: 0 };
	const scale = expectedScale(pods, find);
	if (typeof scale === 'string') return scale;
	const { count, unmanaged } = scale;
	if (maxUnavailable !== undefined) {
		return { count, healthy: Math.max(count - scaledAmount(maxUnavailable, count, Math.ceil), 0), unmanaged };
	}
	return { count, healthy: scaledAmount(minAvailable ?? 0, count, Math.ceil), unmanaged };
}

function unmanagedEvent({ spec }: PodDisruptionBudget): EventText {
	const selector = `&LabelSelector{${labelSelectorText(spec.selector)}}`;
	const message = `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
	return { type: 'Warning', reason: 'UnmanagedPods', message };
}

interface Granted {
	readonly disruptedPods: Readonly<Record<string, string>>;
	readonly notDeleted: readonly Pod[];
	readonly recheckAt: number | undefined;
}

/** The evictions that still count as done (upstream: `buildDisruptedPodMap`). */
function grantedEvictions({ status }: PodDisruptionBudget, pods: readonly Pod[], now: number): Granted {
	const disruptedPods: Record<string, string> = {};
	const notDeleted: Pod[] = [];
	let recheckAt: number | undefined;
	for (const pod of pods) {
		const at = status.disruptedPods?.[pod.metadata.name ?? ''];
		if (at === undefined || pod.metadata.deletionTimestamp) continue;
		const end = timeOf(at) + DELETION_TIMEOUT_MS;
		if (end < now) {
			notDeleted.push(pod);
			continue;
		}
		disruptedPods[pod.metadata.name ?? ''] = at;
		recheckAt = Math.min(recheckAt ?? end, end);
	}
	return { disruptedPods, notDeleted, recheckAt };
}

function isHealthy({ metadata, status }: Pod, granted: Granted['disruptedPods']): boolean {
	if (metadata.deletionTimestamp || granted[metadata.name ?? ''] !== undefined) return false;
	return isConditionTrue(status.conditions, 'Ready');
}

/**
 * When the condition DisruptionTarget of a Pod that was not deleted becomes stale, in ms since the epoch;
 * undefined if the Pod has none that can (upstream: `nonTerminatingPodHasStaleDisruptionCondition`).
 */
export function staleDisruptionAt({ metadata, status }: Pod): number | undefined {
	const target = findCondition(status.conditions, 'DisruptionTarget');
	if (metadata.deletionTimestamp || target?.status !== 'True' || !target.lastTransitionTime) return undefined;
	if (target.reason === 'TerminationByKubelet' || status.phase === 'Succeeded' || status.phase === 'Failed') {
		return undefined;
	}
	return timeOf(target.lastTransitionTime) + DELETION_TIMEOUT_MS;
}

/** The strategic merge patch that takes back the condition DisruptionTarget of this version of the Pod. */
export function staleDisruptionPatch({ metadata: { uid, resourceVersion } }: Pod, now: number): object {
	const condition = { type: 'DisruptionTarget', status: 'False', reason: null, message: null };
	const conditions = [{ ...condition, lastTransitionTime: formatTime(now) }];
	return { metadata: { uid, resourceVersion }, status: { conditions } };
}
