import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node, NodeCondition } from '../../api/core/node/schema.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';

/**
 * Whether a node agent is heard of, by the rules of upstream's node lifecycle controller: it renews its
 * Lease or writes the Ready condition of its Node. What counts is when the controller noticed, by its own
 * clock, since those of the nodes may be wrong.
 */

/** How long a node may be silent. */
export const GRACE_MS = 50_000;

/** How long a Node may be there whose agent has never been heard of. */
export const STARTUP_GRACE_MS = 60_000;

/** The last sign of life of a node agent, and when it was noticed (milliseconds since the epoch). */
export interface NodeHealth {
	readonly nodeUid: string;
	readonly aliveAt: number;
	/** Of its Ready condition. */
	readonly heartbeat: string | undefined;
	/** Of its Lease. */
	readonly renewTime: string | undefined;
}

/** What is known of a node, after what was known `before`. One that is new, or new to us, counts as alive. */
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

/** Until when the node may be silent. */
export function silentAfter(node: Node, { aliveAt }: NodeHealth): number {
	return aliveAt + (readyOf(node) ? GRACE_MS : STARTUP_GRACE_MS);
}

/** The Ready condition, if the Node has one. */
export function readyOf({ status }: Node): NodeCondition | undefined {
	return status.conditions?.find(({ type }) => type === 'Ready');
}

/** What an agent reports of its node; NetworkUnavailable is not its own. */
const OF_THE_AGENT = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

/** The conditions of a node whose agent is silent; the same array where they say so already. */
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
				...{ type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message, lastTransitionTime },
				...(creationTimestamp && { lastHeartbeatTime: creationTimestamp }),
			};
		}),
	];
}
