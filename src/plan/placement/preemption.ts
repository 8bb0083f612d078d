import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { labelSelectorText } from '../../api/meta/selector.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { PodDisruptionBudget } from '../../api/policy/poddisruptionbudget/schema.ts';
import { isCovered } from '../disruption/plan-disruption.ts';
import { type Cluster, type NodeView, nameOf } from './cluster/cluster.ts';
import { NodeUsage } from './cluster/node-usage.ts';
import { priorityOf } from './cluster/occupancy.ts';
import type { Filter, NamedRefusal } from './filter.ts';
import { fitError } from './fit-error.ts';
import { type Candidate, pickCandidate } from './pick-candidate.ts';

/**
 * The Pods that are preempted for an unschedulable Pod, or why none are (upstream: DefaultPreemption plugin).
 */
export type Preemption =
	| {
			readonly kind: 'preempt';
			readonly nodeName: string;
			/** In descending order of importance. Those that are being deleted already need no write. */
			readonly victims: readonly Pod[];
			/** Pods of lower priority that are nominated to the node: their nomination is removed. */
			readonly outranked: readonly Pod[];
	  }
	| {
			readonly kind: 'none';
			readonly message: string;
			/** Whether a nomination of the Pod must be removed because it no longer helps. */
			readonly endsNomination: boolean;
	  };

/** The failed attempt to place the preempting Pod. */
export interface FailedAttempt {
	readonly pod: Pod;
	readonly cluster: Cluster;
	/** Undefined if a predicate refused all nodes at once. */
	readonly filter?: Filter;
	/** By the name of the node. */
	readonly refusals: ReadonlyMap<string, NamedRefusal>;
}

/**
 * Number of candidates after which the search stops, or 10 % of the nodes if that is more (upstream:
 * minCandidateNodesAbsolute and minCandidateNodesPercentage). Each one costs a simulation.
 */
const ENOUGH_CANDIDATES = 100;

const NOT_HELPFUL: readonly string[] = ['Preemption is not helpful for scheduling'];
const NO_VICTIMS: readonly string[] = ['No preemption victims found for incoming pod'];

/**
 * Finds the node on which the fewest and least important Pods must be deleted for the Pod to fit.
 *
 * 1. Only Pods of a lower priority are victims.
 * 2. The Pod fits when all victims are gone, and no victim could be kept.
 * 3. Nodes that refuse the Pod for a reason other than their Pods are not considered.
 */
export function planPreemption(attempt: FailedAttempt): Preemption {
	const { pod, cluster } = attempt;
	const reason = whyNotEligible(attempt);
	if (reason !== undefined) return { kind: 'none', message: reason, endsNomination: false };
	const { candidates, reasons } = findCandidates(attempt);
	const chosen = pickCandidate(candidates);
	if (!chosen) {
		for (let others = cluster.nodes.length - reasons.length; others > 0; others--) reasons.push(NOT_HELPFUL);
		return { kind: 'none', message: fitError(cluster.nodes.length, reasons), endsNomination: true };
	}
	const priority = priorityOf(pod);
	const outranked = cluster.nominated(chosen.nodeName).filter((other) => priorityOf(other) < priority);
	const { nodeName, victims } = chosen;
	return { kind: 'preempt', nodeName, victims, outranked };
}

/** Upstream: PodEligibleToPreemptOthers. */
function whyNotEligible({ pod, cluster, refusals }: FailedAttempt): string | undefined {
	if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.';
	const { nominatedNodeName } = pod.status;
	if (!nominatedNodeName || refusals.get(nominatedNodeName)?.dependsOnPods === false) return undefined;
	return cluster.occupancy.lessImportant(nominatedNodeName, priorityOf(pod)).some(isEndingForPreemption)
		? 'not eligible due to a terminating pod on the nominated node.'
		: undefined;
}

function isEndingForPreemption({ metadata, status }: Pod): boolean {
	if (!metadata.deletionTimestamp) return false;
	const target = findCondition(status.conditions, 'DisruptionTarget');
	return target?.status === 'True' && target.reason === 'PreemptionByScheduler';
}

/** The candidates, and the reasons of the nodes on which preemption does not help. */
function findCandidates({ pod, cluster, filter, refusals }: FailedAttempt): {
	readonly candidates: readonly Candidate[];
	readonly reasons: (readonly string[])[];
} {
	const candidates: Candidate[] = [];
	const reasons: (readonly string[])[] = [];
	if (!filter) return { candidates, reasons };
	const enough = Math.max(ENOUGH_CANDIDATES, cluster.nodes.length / 10);
	for (const node of cluster.nodes) {
		if (candidates.length >= enough) break;
		if (!refusals.get(nameOf(node))?.dependsOnPods) continue;
		const result = selectVictims({ pod, node, cluster, filter });
		if (result.kind === 'victims') candidates.push({ nodeName: nameOf(node), ...result });
		else reasons.push(result.reasons);
	}
	return { candidates, reasons };
}

/** Whether preemption on one node would make room for the Pod. */
interface Trial {
	readonly pod: Pod;
	readonly node: Node;
	readonly cluster: Cluster;
	readonly filter: Filter;
}

type Victims =
	| { readonly kind: 'victims'; readonly victims: readonly Pod[]; readonly violations: number }
	| { readonly kind: 'none'; readonly reasons: readonly string[] };

/**
 * Simulates the removal of all Pods of lower priority from the node, and then adds back as many as possible: first
 * those that PodDisruptionBudgets protect, and of each kind the most important first (upstream:
 * SelectVictimsOnNode).
 */
function selectVictims({ pod, node, cluster, filter }: Trial): Victims {
	const nodeName = nameOf(node);
	const lessImportant = cluster.occupancy.lessImportant(nodeName, priorityOf(pod));
	if (lessImportant.length === 0) return { kind: 'none', reasons: NO_VICTIMS };
	const view: NodeView = { node, usage: new NodeUsage(cluster.occupancy.usage(nodeName)) };
	const trial = filter.fork();
	for (const victim of lessImportant) take(victim, view, trial);
	const refusal = trial.refusal(view);
	if (refusal) return { kind: 'none', reasons: refusal.reasons };
	const { violating, others } = byBudgets(lessImportant.toSorted(byImportance), cluster.budgets());
	const victims: Pod[] = [];
	let violations = 0;
	for (const victim of [...violating, ...others]) {
		view.usage.add(victim);
		trial.move(victim, node, 1);
		if (!trial.refusal(view)) continue;
		take(victim, view, trial);
		victims.push(victim);
		if (violating.includes(victim)) violations++;
	}
	return { kind: 'victims', victims: victims.sort(byImportance), violations };
}

/**
 * Divides the Pods, given in order of importance, into those whose deletion would violate a budget and the others
 * (upstream: FilterVictimsWithPDBViolation). A budget protects the Pods beyond the number that it still allows.
 */
function byBudgets(
	pods: readonly Pod[],
	budgets: readonly PodDisruptionBudget[],
): { readonly violating: readonly Pod[]; readonly others: readonly Pod[] } {
	if (budgets.length === 0) return { violating: [], others: pods };
	const left = new Map(budgets.map((budget) => [budget, budget.status.disruptionsAllowed]));
	const violating = pods.filter((pod) => {
		let isViolating = false;
		for (const [budget, allowed] of left) {
			const isGranted = budget.status.disruptedPods?.[pod.metadata.name ?? ''] !== undefined;
			// As upstream, a selector without requirements protects no Pod here.
			const isEmpty = labelSelectorText(budget.spec.selector) === '<none>';
			if (isGranted || isEmpty || !isCovered(pod, budget)) continue;
			left.set(budget, allowed - 1);
			if (allowed <= 0) isViolating = true;
		}
		return isViolating;
	});
	return { violating, others: pods.filter((pod) => !violating.includes(pod)) };
}

function take(pod: Pod, { node, usage }: NodeView, trial: Filter): void {
	usage.remove(pod);
	trial.move(pod, node, -1);
}

/** Orders Pods by descending priority, then by start time, the earliest first (upstream: MoreImportantPod). */
function byImportance(a: Pod, b: Pod): number {
	return priorityOf(b) - priorityOf(a) || Math.sign(startOf(a) - startOf(b)) || 0;
}

/** The start time in ms; a Pod that has not started counts as the latest. */
function startOf({ status }: Pod): number {
	return timeOf(status.startTime) ?? Number.MAX_SAFE_INTEGER;
}
