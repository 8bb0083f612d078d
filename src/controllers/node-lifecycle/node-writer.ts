import { nodes as nodeResource } from '../../api/core/node/definition.ts';
import type { Node } from '../../api/core/node/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isApiError } from '../../api/meta/api-error.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { NodeStep } from '../../plan/node-lifecycle/plan-node-lifecycle.ts';

/** What a {@link NodeWriter} is made of. */
export interface NodeWriterOptions {
	readonly client: Client;
	readonly clock: Clock;
	readonly recorder: Pick<EventRecorder, 'event'>;
}

/** What of a Node is to be changed, as a merge patch. */
interface NodeChange {
	readonly metadata?: object;
	readonly spec?: object;
	readonly status?: object;
}

/** Writes what was decided about a Node. Every write is bound to what was judged. */
export class NodeWriter {
	readonly #options: NodeWriterOptions;

	constructor(options: NodeWriterOptions) {
		this.#options = options;
	}

	/**
	 * Takes the step for a Node with these Pods; resolves to the version of the Node that was written last.
	 * Rejects with an ApiError, Conflict where somebody else was faster.
	 */
	async write(step: NodeStep, pods: readonly Pod[]): Promise<string | undefined> {
		try {
			const judged = step.conditions
				? await this.#patch(step.node, { status: { conditions: step.conditions } }, 'status')
				: step.node;
			if (step.isLost) this.#tellLost(step.node);
			const marks = step.marksPods ? pods.map((pod) => this.#mark(pod)) : [];
			const [written] = await Promise.all([this.#mend(step, judged), ...marks]);
			return written.metadata.resourceVersion;
		} catch (error) {
			// What is gone needs nothing more.
			if (isApiError(error, 'NotFound')) return undefined;
			throw error;
		}
	}

	#mend({ taints, labels }: NodeStep, node: Node): Promise<Node> {
		if (!taints && !labels) return Promise.resolve(node);
		return this.#patch(node, {
			...(labels && { metadata: { labels } }),
			...(taints && { spec: { taints: taints.length > 0 ? taints : null } }),
		});
	}

	#patch(node: Node, change: NodeChange, subresource?: 'status'): Promise<Node> {
		const { name = '', uid, resourceVersion } = node.metadata;
		const patch = { ...change, metadata: { ...change.metadata, uid, resourceVersion } };
		return this.#options.client.resource(nodeResource).patch(name, 'merge', patch, subresource);
	}

	#tellLost(node: Node): void {
		const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
		this.#options.recorder.event(node, { type: 'Normal', reason: 'NodeNotReady', message });
	}

	/** Nobody vouches for a Pod whose agent is silent. */
	async #mark(pod: Pod): Promise<void> {
		const { client, clock, recorder } = this.#options;
		const { name = '', namespace, uid, resourceVersion } = pod.metadata;
		const ready = pod.status.conditions?.find(({ type }) => type === 'Ready');
		if (ready?.status !== 'True') return;
		const condition = { type: 'Ready', status: 'False', lastTransitionTime: formatTime(clock.now()) };
		const patch = { metadata: { uid, resourceVersion }, status: { conditions: [condition] } };
		try {
			await client.resource(podResource, namespace).patch(name, 'strategic', patch, 'status');
		} catch (error) {
			if (isApiError(error, 'NotFound')) return;
			throw error;
		}
		recorder.event(pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' });
	}
}
