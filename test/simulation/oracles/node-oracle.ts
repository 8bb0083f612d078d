import type { Node, Taint } from '../../../src/api/core/node/schema.ts';
import type { Pod, Toleration } from '../../../src/api/core/pod/schema.ts';
import { findCondition } from '../../../src/api/meta/conditions.ts';
import { timeOf } from '../../../src/api/meta/time.ts';
import { approximate } from '../../../src/base/json/json.ts';
import { tolerates } from '../../../src/plan/placement/taints.ts';
import type { Violations } from './violations.ts';

/**
 * What the scheduler, the node lifecycle controller and the taint eviction controller can have known when they
 * made the decision whose effect is in the store now.
 */
export interface NodeKnowledge {
	/** The time now. */
	now(): number;
	/** The earliest time at which a component can have made the decision that takes effect now. */
	since(): number;
	/** The versions of the Node that they can have used for their decision. */
	versions(nodeName: string): readonly Node[];
	/** When they received heartbeats of the node's agent, in order. */
	heartbeatsOf(nodeName: string): readonly number[];
}

/** What a {@link NodeOracle} needs. */
export interface NodeOracleOptions {
	readonly violations: Violations;
	readonly knowledge: NodeKnowledge;
}

/** How long a node may send no heartbeat: upstream's default node-monitor-grace-period. */
const GRACE_MS = 50_000;

/**
 * Judges bindings, Ready conditions and evictions by the nodes' state (invariants 17 and 18 of
 * violations.ts).
 */
export class NodeOracle {
	readonly #violations: Violations;
	readonly #knowledge: NodeKnowledge;

	constructor({ violations, knowledge }: NodeOracleOptions) {
		this.#violations = violations;
		this.#knowledge = knowledge;
	}

	/** A Node has been updated. */
	nodeChanged(node: Node, old: Node | undefined): void {
		const { name = '' } = node.metadata;
		if (readyOf(node) !== 'Unknown' || !old || readyOf(old) === 'Unknown') return;
		this.#violations.check(
			this.#wasSilent(name),
			18,
			`Node ${name} is reported as silent, and has sent heartbeats`,
		);
	}

	/** A Pod has been created or updated. */
	podChanged(pod: Pod, old: Pod | undefined): void {
		if (pod.spec.nodeName && !old?.spec.nodeName) this.#checkBinding(pod, pod.spec.nodeName);
		if (isEvicted(pod) && old && !isEvicted(old)) this.#checkEviction(pod);
	}

	#checkBinding({ metadata: { name }, spec: { tolerations = [] } }: Pod, nodeName: string): void {
		const versions = this.#knowledge.versions(nodeName);
		const text = `Pod ${name} is bound to ${nodeName}`;
		this.#violations.check(versions.length > 0, 17, `${text}, which no component can know of`);
		const isOpen = versions.some(({ spec }) => {
			const closed: readonly Taint[] = spec.unschedulable ? [UNSCHEDULABLE] : [];
			return [...closed, ...(spec.taints ?? [])]
				.filter(({ effect }) => effect !== 'PreferNoSchedule')
				.every((taint) => tolerations.some((each) => tolerates(each, taint)));
		});
		this.#violations.check(
			isOpen,
			17,
			() => `${text}, whose taints it does not tolerate: ${JSON.stringify(versions.at(-1)?.spec)}`,
		);
	}

	#checkEviction(pod: Pod): void {
		const { nodeName = '' } = pod.spec;
		const versions = this.#knowledge.versions(nodeName);
		const may = versions.some(({ spec }) => spec.taints?.some((taint) => this.#evicts(taint, pod)));
		const message = (): string =>
			`Pod ${pod.metadata.name} is evicted, tolerates ${JSON.stringify(pod.spec.tolerations)}, ` +
			`and ${nodeName} has ${JSON.stringify(versions.at(-1)?.spec.taints)}`;
		this.#violations.check(may, 18, message);
	}

	#evicts(taint: Taint, { spec, status }: Pod): boolean {
		if (taint.effect !== 'NoExecute') return false;
		const toleration: Toleration | undefined = spec.tolerations?.find((each) => tolerates(each, taint));
		if (!toleration) return true;
		if (toleration.tolerationSeconds === undefined) return false;
		const bound = findCondition(status.conditions, 'PodScheduled')?.lastTransitionTime;
		const since = Math.max(timeOf(taint.timeAdded) ?? 0, timeOf(bound) ?? 0);
		return since + approximate(toleration.tolerationSeconds) * 1000 <= this.#knowledge.now();
	}

	/** Whether, at one of the moments at which the decision can have been made, the grace period was over. */
	#wasSilent(name: string): boolean {
		const heartbeats = this.#knowledge.heartbeatsOf(name);
		const since = this.#knowledge.since();
		const moments = [...heartbeats.filter((at) => at >= since), this.#knowledge.now()];
		return moments.some((moment) => {
			const last = heartbeats.findLast((at) => at < moment) ?? Number.NEGATIVE_INFINITY;
			return last + GRACE_MS <= moment;
		});
	}
}

const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Whether the taint eviction controller has marked the Pod for eviction. */
function isEvicted({ status }: Pod): boolean {
	const condition = findCondition(status.conditions, 'DisruptionTarget');
	return condition?.status === 'True' && condition.reason === 'DeletionByTaintManager';
}

function readyOf({ status }: Node): string | undefined {
	return findCondition(status.conditions, 'Ready')?.status;
}
