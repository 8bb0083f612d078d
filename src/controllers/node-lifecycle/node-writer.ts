import { nodes as nodeResource } from '../../api/core/node/definition.ts';
import type { Node } from '../../api/core/node/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { isGone, unlessGone } from '../../client/outcomes.ts';
import type { NodeStep } from '../../plan/node-lifecycle/plan-node-lifecycle.ts';

/** The dependencies of a {@link NodeWriter}. */
export interface NodeWriterOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/** The changes of a Node, as a merge patch. */
interface NodeChange {
	readonly metadata?: object;
	readonly spec?: object;
	readonly status?: object;
}

/**
 * Writes the steps of a plan to Nodes and Pods. Every write carries the resourceVersion that the plan was made
 * from.
 */
export class NodeWriter {
	readonly #options: NodeWriterOptions;

	constructor(options: NodeWriterOptions) {
		this.#options = options;
	}

	/**
	 * Applies the step to its Node and to these Pods of the node. Resolves to the resourceVersion of the last
	 * write to the Node; undefined if an object is gone. Rejects with an ApiError: with Conflict if another
	 * client was faster.
	 */
	async write(step: NodeStep, pods: readonly Pod[]): Promise<string | undefined> {
		try {
			const judged = step.conditions
				? await this.#patch(step.node, { status: { conditions: step.conditions } }, 'status')
				: step.node;
			if (step.isLost) this.#recordLost(step.node);
			const marks = step.marksPods ? pods.map((pod) => this.#markNotReady(pod)) : [];
			const [written] = await Promise.all([this.#writeTaintsAndLabels(step, judged), ...marks]);
			return written.metadata.resourceVersion;
		} catch (error) {
			// The Node was deleted or replaced: no further writes are needed.
			if (isGone(error)) return undefined;
			throw error;
		}
	}

	#writeTaintsAndLabels({ taints, labels }: NodeStep, node: Node): Promise<Node> {
		if (!taints && !labels) return Promise.resolve(node);
		return this.#patch(node, {
			...(labels && { metadata: { labels } }),
			...(taints && { spec: { taints: taints.length > 0 ? taints : null } }),
		});
	}

	#patch(node: Node, change: NodeChange, subresource?: 'status'): Promise<Node> {
		const { name = '', uid, resourceVersion } = node.metadata;
		const patch = { ...change, metadata: { ...change.metadata, uid, resourceVersion } };
		const target = this.#options.client.resource(nodeResource);
		return subresource ? target.patchStatus(name, 'merge', patch) : target.patch(name, 'merge', patch);
	}

	#recordLost(node: Node): void {
		const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
		this.#options.recorder.event(node, { type: 'Normal', reason: 'NodeNotReady', message });
	}

	/**
	 * Sets the Ready condition of a Pod to False: without heartbeats its state is unknown, so Services must not
	 * use it.
	 */
	async #markNotReady(pod: Pod): Promise<void> {
		const { client, clock, recorder } = this.#options;
		const { name = '', namespace, uid, resourceVersion } = pod.metadata;
		if (!isConditionTrue(pod.status.conditions, 'Ready')) return;
		const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) };
		const patch = { metadata: { uid, resourceVersion }, status: { conditions: [condition] } };
		const target = client.resource(podResource, namespace);
		if (!(await unlessGone(target.patchStatus(name, 'strategic', patch)))) return;
		recorder.event(pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' });
	}
}
