import { pods as podResource } from '../api/core/pod/definition.ts';
import { withDisruption } from '../api/core/pod/disruption.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { formatTime } from '../api/meta/time.ts';
import type { Clock } from '../base/clock.ts';
import { type Client, pathOf } from '../client/client.ts';
import { isGone } from '../client/gone.ts';
import type { UnscheduledStatus } from '../plan/placement/pod-scheduled.ts';

/**
 * What the scheduler writes to Pods. Every write names the UID that it means, so that it never hits another
 * Pod that has the name by now. Each resolves to whether it was done: false means that the Pod is gone.
 */
export class PodWriter {
	readonly #client: Client;
	readonly #clock: Clock;

	constructor(client: Client, clock: Clock) {
		this.#client = client;
		this.#clock = clock;
	}

	/** Binds the Pod to the node. It may also be bound already, or be deleted: then it is not done. */
	bind({ metadata }: Pod, nodeName: string): Promise<boolean> {
		const { namespace = '', name = '', uid } = metadata;
		const request = {
			method: 'POST',
			path: `${pathOf(podResource, namespace)}/${encodeURIComponent(name)}/binding`,
			body: {
				apiVersion: 'v1',
				kind: 'Binding',
				metadata: { name, namespace, ...(uid && { uid }) },
				target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
			},
		} as const;
		return done(this.#client.transport.request(request));
	}

	/** The Pod as the API server has it now; undefined if it is gone. */
	async read({ metadata: { namespace, name = '', uid } }: Pod): Promise<Pod | undefined> {
		try {
			const found = await this.#client.resource(podResource, namespace).get(name);
			return found.metadata.uid === uid ? found : undefined;
		} catch (error) {
			if (isGone(error)) return undefined;
			throw error;
		}
	}

	/** Changes the status of the Pod. */
	patchStatus({ metadata }: Pod, status: UnscheduledStatus): Promise<boolean> {
		const { namespace, name = '', uid } = metadata;
		const patch = { ...(uid && { metadata: { uid } }), status };
		return done(this.#client.resource(podResource, namespace).patch(name, 'strategic', patch, 'status'));
	}

	/** Marks the Pod as disturbed by preemption and deletes it; it has its grace period to end. */
	async preempt(victim: Pod, preemptor: Pod): Promise<boolean> {
		const { metadata, status } = victim;
		const { generation } = metadata;
		const disruption = {
			reason: 'PreemptionByScheduler',
			message: `${preemptor.spec.schedulerName}: preempting to accommodate a higher priority pod`,
			...(generation && { observedGeneration: generation }),
		};
		const { conditions = [] } = withDisruption(status, disruption, formatTime(this.#clock.now()));
		const marked = conditions.filter(({ type }) => type === 'DisruptionTarget');
		if (!(await this.patchStatus(victim, { conditions: marked }))) return false;
		const { namespace, name = '', uid } = metadata;
		const options = uid === undefined ? {} : { preconditions: { uid } };
		return done(this.#client.resource(podResource, namespace).delete(name, options));
	}
}

async function done(write: Promise<unknown>): Promise<boolean> {
	try {
		await write;
		return true;
	} catch (error) {
		if (isGone(error)) return false;
		throw error;
	}
}
