import type { Pod } from '../../api/core/pod/schema.ts';
import { deletionCostOf } from '../../api/core/pod/validation/deletion-cost.ts';
import { timeOf } from '../../api/meta/time.ts';
import { compareText } from '../../base/compare-text.ts';
import { isActivePod, readyConditionOf } from './availability.ts';

/** What the order depends on besides the Pods to order. */
export interface RemovalContext {
	/** All Pods of the ReplicaSets that have the same controller as the one that is scaled down. */
	readonly related: readonly Pod[];
	readonly now: number;
}

/**
 * The Pods in the order in which a scale-down deletes them: those first whose end costs least (upstream:
 * getPodsRankedByRelatedPodsOnSameNode and ActivePodsWithRanks.Less in pkg/controller).
 */
export function orderForRemoval(pods: readonly Pod[], { related, now }: RemovalContext): readonly Pod[] {
	const podsOnNode = new Map<string, number>();
	for (const pod of related) {
		const node = pod.spec.nodeName ?? '';
		if (isActivePod(pod)) podsOnNode.set(node, (podsOnNode.get(node) ?? 0) + 1);
	}
	const compared = { now, rankOf: (pod: Pod): number => podsOnNode.get(pod.spec.nodeName ?? '') ?? 0 };
	return pods.toSorted((a, b) => compare(a, b, compared));
}

interface Compared {
	readonly now: number;
	readonly rankOf: (pod: Pod) => number;
}

/** A criterion: negative if `a` is deleted before `b`. It decides only if all before it return 0. */
type Criterion = (a: Pod, b: Pod, compared: Compared) => number;

/** The criteria, in the order in which they decide. */
const CRITERIA: readonly Criterion[] = [
	// Pods without a node.
	by(({ spec }) => (spec.nodeName ? 1 : 0)),
	// Pending before Unknown before Running.
	by(({ status }) => Math.max(0, ['Pending', 'Unknown', 'Running'].indexOf(status.phase ?? ''))),
	by((pod) => (readyConditionOf(pod) ? 1 : 0)),
	by(({ metadata }) => deletionCostOf(metadata.annotations)),
	// Pods on Nodes that run more Pods of the same controller.
	(a, b, { rankOf }) => rankOf(b) - rankOf(a),
	// Pods that became ready later.
	(a, b, { now }) => {
		if (!readyConditionOf(a) || !readyConditionOf(b)) return 0;
		return byAge(a, b, { now, timeOf: (pod) => timeOf(readyConditionOf(pod)?.lastTransitionTime) });
	},
	by((pod) => -mostRestarts(pod, false)),
	by((pod) => -mostRestarts(pod, true)),
	// Younger Pods.
	(a, b, { now }) => byAge(a, b, { now, timeOf: ({ metadata }) => timeOf(metadata.creationTimestamp) }),
];

function compare(a: Pod, b: Pod, compared: Compared): number {
	for (const criterion of CRITERIA) {
		const difference = criterion(a, b, compared);
		if (difference !== 0) return difference;
	}
	return 0;
}

function by(measure: (pod: Pod) => number): Criterion {
	return (a, b) => measure(a) - measure(b);
}

interface Aged {
	readonly now: number;
	readonly timeOf: (pod: Pod) => number | undefined;
}

/**
 * Compares by a time: a Pod without one is deleted first, then the one with the later time. Ages of the same power of two
 * count as equal and are decided by UID, which is random, so that a scale-down does not always delete the Pods of the
 * latest scale-up, which may all be in one zone (upstream: logarithmicRankDiff).
 */
function byAge(a: Pod, b: Pod, aged: Aged): number {
	const [first, second] = [aged.timeOf(a), aged.timeOf(b)];
	if (first === second) return 0;
	if (first === undefined || second === undefined) return first === undefined ? -1 : 1;
	const difference = magnitude(aged.now - first) - magnitude(aged.now - second);
	return difference !== 0 ? difference : compareText(a.metadata.uid ?? '', b.metadata.uid ?? '');
}

/** The power of two of an age, which upstream measures in nanoseconds. */
function magnitude(ageMs: number): number {
	return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1;
}

/** The most restarts of one container: of the sidecars, or of the other containers that are no init containers. */
function mostRestarts({ spec, status }: Pod, ofSidecars: boolean): number {
	if (!ofSidecars)
		return Math.max(0, ...(status.containerStatuses ?? []).map(({ restartCount }) => restartCount));
	const sidecars = new Set(
		(spec.initContainers ?? []).flatMap(({ name, restartPolicy }) =>
			restartPolicy === 'Always' ? [name] : [],
		),
	);
	const counts = (status.initContainerStatuses ?? [])
		.filter(({ name }) => sidecars.has(name))
		.map(({ restartCount }) => restartCount);
	return Math.max(0, ...counts);
}
