import type { Node } from '../../api/core/node/schema.ts';
import type { Pod, TopologySpreadConstraint } from '../../api/core/pod/schema.ts';
import { matches, type Selector, selectorOf } from '../../api/meta/selector.ts';
import { entryOf } from '../../base/json/json.ts';
import type { PodQuestion } from './cluster/occupancy.ts';
import { wantsNode } from './node-selector.ts';
import { untoleratedTaint } from './taints.ts';

/** A topology spread constraint of a Pod, prepared for checks. */
export interface SpreadConstraint {
	readonly topologyKey: string;
	readonly maxSkew: number;
	readonly minDomains: number;
	/** Matches the counted Pods: in the Pod's namespace, matched by the selector, and not under deletion. */
	readonly counted: PodQuestion;
	/** Whether the selector matches the Pod itself. */
	readonly matchesItself: boolean;
	/** Whether Pods on the node are counted, according to nodeAffinityPolicy and nodeTaintsPolicy. */
	includes(node: Node): boolean;
}

/** The Pod's constraints with this action (upstream: podtopologyspread, common.go). */
export function spreadConstraintsOf(
	pod: Pod,
	action: TopologySpreadConstraint['whenUnsatisfiable'],
): readonly SpreadConstraint[] {
	const constraints = pod.spec.topologySpreadConstraints ?? NONE;
	// The results are the same for all constraints, and a Pod can have thousands of constraints.
	const affinity = remembering((node) => wantsNode(pod, node));
	const taints = remembering((node) => !untoleratedTaint(node.spec.taints, pod.spec.tolerations));
	return constraints
		.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
		.map((constraint) => ready(constraint, pod, { affinity, taints }));
}

/** Whether the node has the topology labels of all constraints. */
export function hasAllKeys(node: Node, constraints: readonly SpreadConstraint[]): boolean {
	return constraints.every(({ topologyKey }) => entryOf(node.metadata.labels, topologyKey) !== undefined);
}

const NONE: readonly TopologySpreadConstraint[] = [];

/** The results for a node that do not depend on the constraint. */
interface NodeAnswers {
	readonly affinity: (node: Node) => boolean;
	readonly taints: (node: Node) => boolean;
}

/** `ask` with its results cached for one placement. */
function remembering(ask: (node: Node) => boolean): (node: Node) => boolean {
	const answers = new Map<Node, boolean>();
	return (node) => {
		const known = answers.get(node);
		if (known !== undefined) return known;
		const answer = ask(node);
		answers.set(node, answer);
		return answer;
	};
}

function ready(constraint: TopologySpreadConstraint, pod: Pod, answers: NodeAnswers): SpreadConstraint {
	const { topologyKey, maxSkew, minDomains = 1, labelSelector } = constraint;
	// Upstream's defaults for policies that are not set.
	const { nodeAffinityPolicy = 'Honor', nodeTaintsPolicy = 'Ignore' } = constraint;
	const { namespace = '', labels } = pod.metadata;
	const selector = selectorOf(labelSelector);
	return {
		topologyKey,
		maxSkew,
		minDomains,
		counted: {
			signature: `spread ${JSON.stringify([namespace, labelSelector])}`,
			matches: (other) => isCounted(other, namespace, selector),
		},
		matchesItself: matches(selector, labels),
		includes: (node) =>
			(nodeAffinityPolicy === 'Ignore' || answers.affinity(node)) &&
			(nodeTaintsPolicy === 'Ignore' || answers.taints(node)),
	};
}

function isCounted({ metadata }: Pod, namespace: string, selector: Selector): boolean {
	return (
		metadata.namespace === namespace && !metadata.deletionTimestamp && matches(selector, metadata.labels)
	);
}
