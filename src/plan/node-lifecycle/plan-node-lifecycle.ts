import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node, NodeCondition, Taint } from '../../api/core/node/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { type NodeHealth, observeHealth, readyOf, silentAfter, unknownConditions } from './node-health.ts';
import { isMarked, taintsOf, type Verdict } from './node-taints.ts';
import { isFullyDisrupted, tempoMs, type Zone, zoneOf, zonesOf } from './zones.ts';

/** What is seen of all nodes; times in milliseconds since the epoch. */
export interface NodeLifecycleSnapshot {
	readonly now: number;
	readonly nodes: readonly Node[];
	/** The Lease of the node of this name. */
	lease(nodeName: string): Lease | undefined;
	readonly memory: NodeLifecycleMemory;
}

/**
 * What one look at the nodes hands to the next. It may be lost: then every node counts as alive at first.
 */
export interface NodeLifecycleMemory {
	/** By the name of the node. */
	readonly health: ReadonlyMap<string, NodeHealth>;
	/** When a node of the zone was given up last. */
	readonly givenUpAt: ReadonlyMap<string, number>;
	readonly wasFullyDisrupted: boolean;
}

/** What there is to remember before the first look. */
export const NOTHING_REMEMBERED: NodeLifecycleMemory = {
	health: new Map(),
	givenUpAt: new Map(),
	wasFullyDisrupted: false,
};

/** What is to be done for a Node, in this order. */
export interface NodeStep {
	readonly node: Node;
	/** The agent is silent: the conditions to be written, where they do not say so already. */
	readonly conditions: readonly NodeCondition[] | undefined;
	/** It was ready until now. */
	readonly isLost: boolean;
	/** The agent is silent: no Pod on the node is ready. */
	readonly marksPods: boolean;
	readonly taints: readonly Taint[] | undefined;
	/** Labels to be added. */
	readonly labels: Readonly<Record<string, string>> | undefined;
	readonly because: string;
}

/** What is to be done for the nodes now. */
export interface NodeLifecyclePlan {
	readonly steps: readonly NodeStep[];
	readonly memory: NodeLifecycleMemory;
	readonly zones: ReadonlyMap<string, Zone>;
	/** The zones of the nodes that are given up by this plan, a name for each node. */
	readonly givenUp: readonly string[];
	/** When to look again although nothing has changed. */
	readonly lookAgainAt: number | undefined;
}

/**
 * Looks after the nodes, by the rules of upstream's node lifecycle controller.
 *
 * 1. A node whose agent is silent has its conditions set to Unknown, and its Pods are not ready.
 * 2. A node that is not well takes no Pods (NoSchedule), and gives up its own after the time that they
 *    tolerate (NoExecute): one node of a zone after the other, and none at all while every node is unwell.
 */
export function planNodeLifecycle(seen: NodeLifecycleSnapshot): NodeLifecyclePlan {
	const { now, memory } = seen;
	const looks = seen.nodes.map((node) => look(node, seen));
	const zones = zonesOf(looks.map(({ after }) => after));
	const disrupted = isFullyDisrupted(zones);
	const pacer = new Pacer(memory.givenUpAt, zones, now);
	const steps = looks.flatMap((each) => {
		const verdict: Verdict = disrupted ? { pods: 'stay' } : { pods: 'leave', may: pacer.permit(each.after) };
		return stepFor(each, verdict, now);
	});
	// While all were unwell nobody was to blame for silence; each has its grace from now.
	const regained = memory.wasFullyDisrupted && !disrupted;
	const health = new Map(
		looks.map(({ node, health }) => [
			node.metadata.name ?? '',
			regained ? { ...health, aliveAt: now } : health,
		]),
	);
	const dues = [...looks.flatMap(({ due }) => due ?? []), ...pacer.dues];
	return {
		steps,
		zones,
		givenUp: pacer.givenUp,
		memory: { health, givenUpAt: pacer.givenUpAt, wasFullyDisrupted: disrupted },
		lookAgainAt: dues.length > 0 ? Math.min(...dues) : undefined,
	};
}

/** A node, how its agent is doing, and what the Node is to say of that. */
interface Look {
	readonly node: Node;
	readonly after: Node;
	readonly health: NodeHealth;
	readonly isSilent: boolean;
	/** When it will be silent for too long. */
	readonly due: number | undefined;
}

function look(node: Node, { lease, memory, now }: NodeLifecycleSnapshot): Look {
	const { name = '' } = node.metadata;
	const health = observeHealth(node, { lease: lease(name), before: memory.health.get(name), now });
	const silentAt = silentAfter(node, health) + 1;
	const isSilent = silentAt <= now;
	const conditions = isSilent ? unknownConditions(node, now) : node.status.conditions;
	if (conditions === node.status.conditions) {
		return { node, after: node, health, isSilent, due: isSilent ? undefined : silentAt };
	}
	return {
		node,
		after: { ...node, status: { ...node.status, conditions } },
		health,
		isSilent,
		due: undefined,
	};
}

function stepFor({ node, after, isSilent }: Look, verdict: Verdict, now: number): readonly NodeStep[] {
	const { taints: before } = node.spec;
	const taints = taintsOf(after, verdict, formatTime(now));
	const labels = labelsToAdd(node);
	const isChanged = after !== node;
	const retaints = taints !== before && (taints.length > 0 || before !== undefined);
	if (!isSilent && !retaints && !labels) return [];
	return [
		{
			node,
			conditions: isChanged ? after.status.conditions : undefined,
			isLost: isChanged && readyOf(node)?.status === 'True',
			marksPods: isSilent,
			taints: retaints ? taints : undefined,
			labels,
			because: isSilent ? 'its agent is silent' : 'its taints or labels are not those of its state',
		},
	];
}

/** The old names of labels follow the new ones. */
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

/** Says which nodes may be given up now, and counts them. */
class Pacer {
	readonly givenUp: string[] = [];
	readonly givenUpAt: Map<string, number>;
	/** When the next node may be given up where one waits. */
	readonly dues: number[] = [];
	readonly #zones: ReadonlyMap<string, Zone>;
	readonly #now: number;

	constructor(givenUpAt: ReadonlyMap<string, number>, zones: ReadonlyMap<string, Zone>, now: number) {
		this.givenUpAt = new Map(givenUpAt);
		this.#zones = zones;
		this.#now = now;
	}

	permit(node: Node): 'begin' | 'go on' {
		const ready = readyOf(node);
		if (!ready || ready.status === 'True' || isMarked(node)) return 'go on';
		const zone = zoneOf(node);
		const tempo = tempoMs(this.#zones.get(zone));
		if (tempo === undefined) return 'go on';
		const due = (this.givenUpAt.get(zone) ?? Number.NEGATIVE_INFINITY) + tempo;
		if (due > this.#now) {
			this.dues.push(due);
			return 'go on';
		}
		this.givenUpAt.set(zone, this.#now);
		this.givenUp.push(zone);
		return 'begin';
	}
}
