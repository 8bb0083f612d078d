import type { Node, Taint } from '../../src/api/core/node/schema.ts';
import type { Pod, Toleration } from '../../src/api/core/pod/schema.ts';
import { timeOf } from '../../src/api/meta/time.ts';
import { approximate } from '../../src/base/json.ts';
import { tolerates } from '../../src/plan/placement/taints.ts';
import type { Violations } from './violations.ts';

/** What the scheduler and the controllers of nodes can have known when they made a decision that shows now. */
export interface NodeKnowledge {
	/** The time now. */
	now(): number;
	/** A decision that shows now was made at this time or later. */
	since(): number;
	/** The versions of the Node that they can have decided from. */
	versions(nodeName: string): readonly Node[];
	/** When they received heartbeats of the node's agent, in order. */
	heartbeatsOf(nodeName: string): readonly number[];
}

/** What a {@link NodeBook} is made with. */
export interface NodeBookOptions {
	readonly violations: Violations;
	readonly knowledge: NodeKnowledge;
}

/** How long a node may be silent. */
const GRACE_MS = 50_000;

/** Keeps book of what is concluded from the state of nodes; see violations.ts for the numbers. */
export class NodeBook {
	readonly #violations: Violations;
	readonly #knowledge: NodeKnowledge;

	constructor({ violations, knowledge }: NodeBookOptions) {
		this.#violations = violations;
		this.#knowledge = knowledge;
	}

	/** A Node was changed. */
	nodeChanged(node: Node, old: Node | undefined): void {
		const { name = '' } = node.metadata;
		if (readyOf(node) !== 'Unknown' || !old || readyOf(old) === 'Unknown') return;
		this.#violations.check(this.#wasSilent(name), 18, `Node ${name} is said to be silent, and is not`);
	}

	/** A Pod was made or changed. */
	podChanged(pod: Pod, old: Pod | undefined): void {
		if (pod.spec.nodeName && !old?.spec.nodeName) this.#checkBinding(pod, pod.spec.nodeName);
		if (isDrivenAway(pod) && old && !isDrivenAway(old)) this.#checkDrivenAway(pod);
	}

	#checkBinding({ metadata: { name }, spec: { tolerations = [] } }: Pod, nodeName: string): void {
		const versions = this.#knowledge.versions(nodeName);
		const text = `Pod ${name} is bound to ${nodeName}`;
		this.#violations.check(versions.length > 0, 17, `${text}, which nobody knew of`);
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

	#checkDrivenAway(pod: Pod): void {
		const { nodeName = '' } = pod.spec;
		const versions = this.#knowledge.versions(nodeName);
		const may = versions.some(({ spec }) => spec.taints?.some((taint) => this.#drivesAway(taint, pod)));
		const told = (): string =>
			`Pod ${pod.metadata.name} is driven away, tolerates ${JSON.stringify(pod.spec.tolerations)}, ` +
			`and ${nodeName} has ${JSON.stringify(versions.at(-1)?.spec.taints)}`;
		this.#violations.check(may, 18, told);
	}

	#drivesAway(taint: Taint, { spec, status }: Pod): boolean {
		if (taint.effect !== 'NoExecute') return false;
		const toleration: Toleration | undefined = spec.tolerations?.find((each) => tolerates(each, taint));
		if (!toleration) return true;
		if (toleration.tolerationSeconds === undefined) return false;
		const bound = status.conditions?.find(({ type }) => type === 'PodScheduled')?.lastTransitionTime;
		const since = Math.max(timeOf(taint.timeAdded) ?? 0, timeOf(bound) ?? 0);
		return since + approximate(toleration.tolerationSeconds) * 1000 <= this.#knowledge.now();
	}

	/** Whether there was a moment, of those the decision can have been made at, after a long silence. */
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

/** Whether a taint of its node is why the Pod goes. */
function isDrivenAway({ status }: Pod): boolean {
	const condition = status.conditions?.find(({ type }) => type === 'DisruptionTarget');
	return condition?.status === 'True' && condition.reason === 'DeletionByTaintManager';
}

function readyOf({ status }: Node): string | undefined {
	return status.conditions?.find(({ type }) => type === 'Ready')?.status;
}
