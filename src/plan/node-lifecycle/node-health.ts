/**
 * Decides whether a node agent is alive (upstream: tryUpdateNodeHealth). An agent sends heartbeats by renewing
 * its Lease or writing the Ready condition of its Node. The controller measures with its own clock when it
 * observed a heartbeat; the timestamps inside are only compared with each other, because the clocks of nodes
 * may be wrong.
 */

import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node, NodeCondition } from '../../api/core/node/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';

/** Milliseconds without a heartbeat after which a node is unhealthy: upstream's --node-monitor-grace-period. */
export const GRACE_MS = 50_000;

/** The same for a Node whose agent has never reported a status: upstream's --node-startup-grace-period. */
export const STARTUP_GRACE_MS = 60_000;

/** The last heartbeat of a node agent. `aliveAt`: when the controller observed it, in ms since the epoch. */
export interface NodeHealth {
	readonly nodeUid: string;
	readonly aliveAt: number;
	/** `lastHeartbeatTime` of its Ready condition. */
	readonly heartbeat: string | undefined;
	/** `renewTime` of its Lease. */
	readonly renewTime: string | undefined;
}

/**
 * The health of a node, updated from `before`. A node that the controller sees for the first time counts as
 * alive.
 */
export function observeHealth(
	node: Node,
	{ lease, before, now }: { lease: Lease | undefined; before: NodeHealth | undefined; now: number },
): NodeHealth {
	const { uid = '', creationTimestamp } = node.metadata;
	const ready = readyOf(node);
	const heartbeat = ready?.lastHeartbeatTime ?? undefined;
	const renewTime = lease?.spec.renewTime;
	const known = before?.nodeUid === uid ? before : undefined;
	const firstSeenAt = ready ? now : (timeOf(creationTimestamp) ?? now);
	const isAlive =
		known !== undefined && (known.heartbeat !== heartbeat || isLater(renewTime, known.renewTime));
	const aliveAt = isAlive || (!known && renewTime !== undefined) ? now : (known?.aliveAt ?? firstSeenAt);
	return { nodeUid: uid, aliveAt, heartbeat, renewTime: renewTime ?? known?.renewTime };
}

function isLater(one: string | undefined, other: string | undefined): boolean {
	if (one === undefined) return false;
	return other === undefined || one > other;
}

/** When the grace period of the node ends, in ms since the epoch. */
export function gracePeriodEnd(node: Node, { aliveAt }: NodeHealth): number {
	return aliveAt + (readyOf(node) ? GRACE_MS : STARTUP_GRACE_MS);
}

/** The Ready condition, if the Node has one. */
export function readyOf({ status }: Node): NodeCondition | undefined {
	return findCondition(status.conditions, 'Ready');
}

/**
 * The conditions that a node agent reports. NetworkUnavailable is not among them: the network provider sets it.
 */
const OF_THE_AGENT = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

/**
 * The conditions of a node without heartbeats: the agent's own are Unknown. The same array if they are so
 * already.
 */
export function unknownConditions(node: Node, now: number): readonly NodeCondition[] {
	const { conditions = [] } = node.status;
	const missing = OF_THE_AGENT.filter((type) => !conditions.some((one) => one.type === type));
	const isOutdated = (one: NodeCondition): boolean =>
		one.status !== 'Unknown' && OF_THE_AGENT.some((type) => type === one.type);
	if (missing.length === 0 && !conditions.some(isOutdated)) return conditions;
	const lastTransitionTime = formatTime(now);
	return [
		...conditions.map((one): NodeCondition => {
			if (!isOutdated(one)) return one;
			const message = 'Kubelet stopped posting node status.';
			return { ...one, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime };
		}),
		...missing.map((type): NodeCondition => {
			const { creationTimestamp } = node.metadata;
			const message = 'Kubelet never posted node status.';
			return {
				type,
				status: 'Unknown',
				reason: 'NodeStatusNeverUpdated',
				message,
				lastTransitionTime,
				...(creationTimestamp && { lastHeartbeatTime: creationTimestamp }),
			};
		}),
	];
}
