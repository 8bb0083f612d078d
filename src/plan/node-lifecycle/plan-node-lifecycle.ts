import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node, NodeCondition, Taint } from '../../api/core/node/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { gracePeriodEnd, type NodeHealth, observeHealth, readyOf, unknownConditions } from './node-health.ts';
import { isEvicting, taintsOf, type Verdict } from './node-taints.ts';
import { evictionIntervalMs, isFullyDisrupted, type Zone, zoneOf, zonesOf } from './zones.ts';

/** The state of all nodes. Times are in ms since the epoch. */
export interface NodeLifecycleSnapshot {
	readonly now: number;
	readonly nodes: readonly Node[];
	/** The Lease of a node, by the name of the node. */
	lease(nodeName: string): Lease | undefined;
	readonly memory: NodeLifecycleMemory;
}

/**
 * The state that one plan hands to the next. It is kept in memory only: after a restart every node counts as
 * alive at first, so that no node is tainted because the controller was down.
 */
export interface NodeLifecycleMemory {
	/** By the name of the node. */
	readonly health: ReadonlyMap<string, NodeHealth>;
	/** By zone: when the eviction of a node was last started, in ms since the epoch. */
	readonly lastEvictionAt: ReadonlyMap<string, number>;
	readonly wasFullyDisrupted: boolean;
}

/** The state before the first plan. */
export const NOTHING_REMEMBERED: NodeLifecycleMemory = {
	health: new Map(),
	lastEvictionAt: new Map(),
	wasFullyDisrupted: false,
};

/** The writes for one Node, in this order. */
export interface NodeStep {
	readonly node: Node;
	/** The conditions to write for a node without heartbeats; undefined if they need no change. */
	readonly conditions: readonly NodeCondition[] | undefined;
	/** Whether the node was ready until now, so that an Event is recorded. */
	readonly isLost: boolean;
	/** Whether the Pods on the node must be marked as not ready, because there are no heartbeats. */
	readonly marksPods: boolean;
	readonly taints: readonly Taint[] | undefined;
	/** The labels to add; undefined if there are none. */
	readonly labels: Readonly<Record<string, string>> | undefined;
	readonly because: string;
}

/** The plan for all nodes. */
export interface NodeLifecyclePlan {
	readonly steps: readonly NodeStep[];
	readonly memory: NodeLifecycleMemory;
	readonly zones: ReadonlyMap<string, Zone>;
	/** The zone of each node whose eviction this plan starts; a zone occurs once for each such node. */
	readonly evictedZones: readonly string[];
	/** When to plan again even if nothing changes, in ms since the epoch; undefined if that is not needed. */
	readonly lookAgainAt: number | undefined;
}

/**
 * Plans the conditions and taints of all nodes (upstream:
 * pkg/controller/nodelifecycle/node_lifecycle_controller.go). Read node-health.ts (heartbeats), zones.ts
 * (eviction rates) and node-taints.ts with this file.
 *
 * 1. If a node agent sends no heartbeat within the grace period, the node's conditions become Unknown and its
 *    Pods are marked as not ready.
 * 2. A node that is not ready gets a NoSchedule taint at once. It gets a NoExecute taint, which evicts its Pods
 *    after the time that they tolerate, only as fast as the rate of its zone allows, and never while all nodes
 *    are unhealthy.
 */
export function planNodeLifecycle(seen: NodeLifecycleSnapshot): NodeLifecyclePlan {
	const { now, memory } = seen;
	const views = seen.nodes.map((node) => viewNode(node, seen));
	const zones = zonesOf(views.map(({ after }) => after));
	const disrupted = isFullyDisrupted(zones);
	const limiter = new EvictionRateLimiter(memory.lastEvictionAt, zones, now);
	const steps = views.flatMap((each) => {
		const verdict: Verdict = disrupted
			? { pods: 'stay' }
			: { pods: 'leave', eviction: limiter.permit(each.after) };
		return stepFor(each, verdict, now);
	});
	// While all nodes were unhealthy, the control plane was most likely cut off, so every grace period starts
	// anew.
	const regained = memory.wasFullyDisrupted && !disrupted;
	const health = new Map(
		views.map(({ node, health }) => [
			node.metadata.name ?? '',
			regained ? { ...health, aliveAt: now } : health,
		]),
	);
	const dues = [...views.flatMap(({ due }) => due ?? []), ...limiter.dues];
	return {
		steps,
		zones,
		evictedZones: limiter.evictedZones,
		memory: { health, lastEvictionAt: limiter.lastEvictionAt, wasFullyDisrupted: disrupted },
		lookAgainAt: dues.length > 0 ? Math.min(...dues) : undefined,
	};
}

/** A Node, the health of its agent, and the Node as it will be with its new conditions (`after`). */
interface NodeView {
	readonly node: Node;
	readonly after: Node;
	readonly health: NodeHealth;
	readonly isUnhealthy: boolean;
	/** When its grace period ends, in ms since the epoch; undefined if it has ended. */
	readonly due: number | undefined;
}

function viewNode(node: Node, { lease, memory, now }: NodeLifecycleSnapshot): NodeView {
	const { name = '' } = node.metadata;
	const health = observeHealth(node, { lease: lease(name), before: memory.health.get(name), now });
	const unhealthyAt = gracePeriodEnd(node, health) + 1;
	const isUnhealthy = unhealthyAt <= now;
	const conditions = isUnhealthy ? unknownConditions(node, now) : node.status.conditions;
	if (conditions === node.status.conditions) {
		return { node, after: node, health, isUnhealthy, due: isUnhealthy ? undefined : unhealthyAt };
	}
	return {
		node,
		after: { ...node, status: { ...node.status, conditions } },
		health,
		isUnhealthy,
		due: undefined,
	};
}

function stepFor({ node, after, isUnhealthy }: NodeView, verdict: Verdict, now: number): readonly NodeStep[] {
	const { taints: before } = node.spec;
	const taints = taintsOf(after, verdict, formatTime(now));
	const labels = labelsToAdd(node);
	const isChanged = after !== node;
	const retaints = taints !== before && (taints.length > 0 || before !== undefined);
	if (!isUnhealthy && !retaints && !labels) return [];
	return [
		{
			node,
			conditions: isChanged ? after.status.conditions : undefined,
			isLost: isChanged && readyOf(node)?.status === 'True',
			marksPods: isUnhealthy,
			taints: retaints ? taints : undefined,
			labels,
			because: isUnhealthy ? 'its agent sends no heartbeats' : 'its taints or labels do not match its state',
		},
	];
}

/** The beta labels get the values of the stable ones, for clients that still select by them. */
const OLD_LABELS: Readonly<Record<string, string>> = {
	'kubernetes.io/os': 'beta.kubernetes.io/os',
	'kubernetes.io/arch': 'beta.kubernetes.io/arch',
};

function labelsToAdd({ metadata: { labels = {} } }: Node): Readonly<Record<string, string>> | undefined {
	const missing = Object.entries(OLD_LABELS).flatMap(([label, old]) => {
		const value = labels[label];
		return value !== undefined && labels[old] !== value ? [[old, value] as const] : [];
	});
	return missing.length > 0 ? Object.fromEntries(missing) : undefined;
}

/** Limits the rate at which the eviction of nodes is started in each zone (upstream: RateLimitedTimedQueue). */
class EvictionRateLimiter {
	readonly evictedZones: string[] = [];
	readonly lastEvictionAt: Map<string, number>;
	/** When the next eviction may start, in ms since the epoch, for each zone with a waiting node. */
	readonly dues: number[] = [];
	readonly #zones: ReadonlyMap<string, Zone>;
	readonly #now: number;

	constructor(lastEvictionAt: ReadonlyMap<string, number>, zones: ReadonlyMap<string, Zone>, now: number) {
		this.lastEvictionAt = new Map(lastEvictionAt);
		this.#zones = zones;
		this.#now = now;
	}

	/** Returns `start` if the eviction of the node may start now, and counts it. */
	permit(node: Node): 'start' | 'continue' {
		const ready = readyOf(node);
		if (!ready || ready.status === 'True' || isEvicting(node)) return 'continue';
		const zone = zoneOf(node);
		const intervalMs = evictionIntervalMs(this.#zones.get(zone));
		if (intervalMs === undefined) return 'continue';
		const due = (this.lastEvictionAt.get(zone) ?? Number.NEGATIVE_INFINITY) + intervalMs;
		if (due > this.#now) {
			this.dues.push(due);
			return 'continue';
		}
		this.lastEvictionAt.set(zone, this.#now);
		this.evictedZones.push(zone);
		return 'start';
	}
}
