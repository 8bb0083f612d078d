import type { Node, Taint } from '../../api/core/node/schema.ts';
import { semanticEqual } from '../../api/meta/equality.ts';
import { readyOf } from './node-health.ts';

/** The taints that follow from how a Node is doing, by upstream's node lifecycle controller. */

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

const BY_CONDITION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
	Ready: { False: NOT_READY, Unknown: UNREACHABLE },
	MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
	DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
	NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
	PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
};

/** The keys whose NoSchedule taints belong to the controller. */
const OWN_KEYS = new Set([
	UNSCHEDULABLE,
	...Object.values(BY_CONDITION).flatMap((keys) => Object.values(keys)),
]);

/**
 * What is to become of the Pods on a node: `stay`, or be given the time that they tolerate (`leave`), where
 * `may` says whether that may begin now or only go on where it has begun.
 */
export type Verdict = { readonly pods: 'stay' } | { readonly pods: 'leave'; readonly may: 'begin' | 'go on' };

/** The taints that the Node is to have; the same array where it has them. `now` is RFC 3339. */
export function taintsOf(node: Node, verdict: Verdict, now: string): readonly Taint[] {
	const { taints = [] } = node.spec;
	const wanted = [...noSchedule(node), ...noExecute(node, verdict)].filter(isFirstOfItsKind);
	const isOwn = ({ key, effect }: Taint): boolean =>
		effect === 'NoSchedule' ? OWN_KEYS.has(key) : effect === 'NoExecute' && MARKS.has(key);
	const kept = taints.filter((taint) => !isOwn(taint) || wanted.some((each) => isSame(each, taint)));
	const added = wanted.filter((taint) => !taints.some((each) => isSame(each, taint)));
	if (added.length === 0 && kept.length === taints.length) return taints;
	return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: now }))];
}

/** Whether the Node has the mark by which its Pods leave. */
export function isMarked({ spec }: Node): boolean {
	return spec.taints?.some(({ key, effect }) => effect === 'NoExecute' && MARKS.has(key)) ?? false;
}

const MARKS = new Set([NOT_READY, UNREACHABLE]);

function isSame(one: Taint, other: Taint): boolean {
	return semanticEqual([one.key, one.effect], [other.key, other.effect]);
}

/** A Node's conditions are a plain list: one type may stand there twice, but a taint may not (the API refuses it). */
function isFirstOfItsKind(taint: Taint, index: number, all: readonly Taint[]): boolean {
	return all.findIndex((each) => isSame(each, taint)) === index;
}

function noSchedule({ spec, status }: Node): readonly Taint[] {
	const keys = (status.conditions ?? []).flatMap(
		({ type, status: value }) => BY_CONDITION[type]?.[value] ?? [],
	);
	if (spec.unschedulable) keys.push(UNSCHEDULABLE);
	return keys.map((key) => ({ key, effect: 'NoSchedule' }));
}

/** The two marks exclude each other; to change one for the other takes no permission. */
function noExecute(node: Node, verdict: Verdict): readonly Taint[] {
	const ready = readyOf(node);
	if (!ready || ready.status === 'True' || verdict.pods === 'stay') return [];
	if (verdict.may === 'go on' && !isMarked(node)) return [];
	return [{ key: ready.status === 'False' ? NOT_READY : UNREACHABLE, effect: 'NoExecute' }];
}
