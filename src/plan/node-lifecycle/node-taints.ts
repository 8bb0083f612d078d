/**
 * Computes the taints that the controller sets for the conditions of a Node (upstream:
 * doNoScheduleTaintingPass, doNoExecuteTaintingPass).
 */

import type { Node, Taint } from '../../api/core/node/schema.ts';
import { NOT_READY_TAINT, UNREACHABLE_TAINT, UNSCHEDULABLE_TAINT } from '../../api/core/node/taints.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { readyOf } from './node-health.ts';

const BY_CONDITION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	Ready: { False: NOT_READY_TAINT, Unknown: UNREACHABLE_TAINT },
	MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
	DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
	NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
	PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};

/** The keys whose NoSchedule taints belong to the controller. */
const OWN_KEYS = new Set([
	UNSCHEDULABLE_TAINT,
	...Object.values(BY_CONDITION).flatMap((keys) => Object.values(keys)),
]);

/**
 * Whether the Pods of a node that is not ready are evicted. `stay`: the node gets no NoExecute taint. `leave`:
 * it gets one, so that its Pods are evicted after the time that they tolerate. `eviction` is `start` if the
 * rate limit allows the node to get the taint now, and `continue` if only a node that has it already may keep
 * it.
 */
export type Verdict =
	| { readonly pods: 'stay' }
	| { readonly pods: 'leave'; readonly eviction: 'start' | 'continue' };

/** The taints that the Node must have; the same array if it has them already. `now` is in RFC 3339. */
export function taintsOf(node: Node, verdict: Verdict, now: string): readonly Taint[] {
	const { taints = [] } = node.spec;
	const wanted = [...noSchedule(node), ...noExecute(node, verdict)].filter(isFirstOfItsKind);
	const isOwn = ({ key, effect }: Taint): boolean =>
		effect === 'NoSchedule' ? OWN_KEYS.has(key) : effect === 'NoExecute' && EVICTION_KEYS.has(key);
	const kept = taints.filter((taint) => !isOwn(taint) || wanted.some((each) => isSame(each, taint)));
	const added = wanted.filter((taint) => !taints.some((each) => isSame(each, taint)));
	if (added.length === 0 && kept.length === taints.length) return taints;
	return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: now }))];
}

/** Whether the Node has a NoExecute taint of the controller, so that its Pods are being evicted. */
export function isEvicting({ spec }: Node): boolean {
	return spec.taints?.some(({ key, effect }) => effect === 'NoExecute' && EVICTION_KEYS.has(key)) ?? false;
}

const EVICTION_KEYS = new Set([NOT_READY_TAINT, UNREACHABLE_TAINT]);

function isSame(one: Taint, other: Taint): boolean {
	return semanticEqual([one.key, one.effect], [other.key, other.effect]);
}

/** Removes duplicates: a condition type may be listed twice, but the API rejects duplicate taints. */
function isFirstOfItsKind(taint: Taint, index: number, all: readonly Taint[]): boolean {
	return all.findIndex((each) => isSame(each, taint)) === index;
}

function noSchedule({ spec, status }: Node): readonly Taint[] {
	const keys = (status.conditions ?? []).flatMap(
		({ type, status: value }) => BY_CONDITION[type]?.[value] ?? [],
	);
	if (spec.unschedulable) keys.push(UNSCHEDULABLE_TAINT);
	return keys.map((key) => ({ key, effect: 'NoSchedule' }));
}

/**
 * The two taints exclude each other. Replacing one by the other is not rate-limited: the eviction has started
 * already.
 */
function noExecute(node: Node, verdict: Verdict): readonly Taint[] {
	const ready = readyOf(node);
	if (!ready || ready.status === 'True' || verdict.pods === 'stay') return [];
	if (verdict.eviction === 'continue' && !isEvicting(node)) return [];
	return [{ key: ready.status === 'False' ? NOT_READY_TAINT : UNREACHABLE_TAINT, effect: 'NoExecute' }];
}
