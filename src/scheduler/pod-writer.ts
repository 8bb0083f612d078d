import { pods as podResource } from '../api/core/pod/definition.ts';
import type { Pod } from '../api/core/pod/schema.ts';
import { formatTime } from '../api/meta/time.ts';
import type { Clock } from '../base/clock.ts';
import { type Client, pathOf } from '../client/client.ts';
import { uidPrecondition, unlessGone, unlessOvertaken } from '../client/outcomes.ts';
import { preemptionConditions, type UnscheduledStatus } from '../plan/placement/pod-scheduled.ts';

/**
 * The scheduler's writes to Pods. Every write has the UID as a precondition, so that it never changes another
 * Pod of the same name. Each resolves to true if it succeeded and to false if the Pod is gone; it rejects with
 * all other errors.
 */
export class PodWriter {
	readonly #client: Client;
	readonly #clock: Clock;

	constructor(client: Client, clock: Clock) {
		this.#client = client;
		this.#clock = clock;
	}

	/** Binds the Pod to the node. Resolves to false also if it is bound already or is being deleted. */
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

	/** Reads the Pod from the API server; undefined if it is gone. */
	async read({ metadata: { namespace, name = '', uid } }: Pod): Promise<Pod | undefined> {
		const found = await unlessGone(this.#client.resource(podResource, namespace).get(name));
		return found?.metadata.uid === uid ? found : undefined;
	}

	/** Patches the status of the Pod. */
	patchStatus({ metadata }: Pod, status: UnscheduledStatus): Promise<boolean> {
		const { namespace, name = '', uid } = metadata;
		const patch = { ...(uid && { metadata: { uid } }), status };
		return done(this.#client.resource(podResource, namespace).patchStatus(name, 'strategic', patch));
	}

	/**
	 * Adds the condition DisruptionTarget to the victim and then deletes it with its own grace period. In this
	 * order, because the victim may end as soon as it is deleted, and a pod failure policy must find the
	 * condition then.
	 */
	async preempt(victim: Pod, preemptor: Pod): Promise<boolean> {
		const conditions = preemptionConditions(victim, preemptor, formatTime(this.#clock.now()));
		if (!(await this.patchStatus(victim, { conditions }))) return false;
		const { namespace, name = '' } = victim.metadata;
		return done(this.#client.resource(podResource, namespace).delete(name, uidPrecondition(victim)));
	}
}

/** Whether the write succeeded; false if the object is gone. */
async function done(write: Promise<unknown>): Promise<boolean> {
	return (await unlessOvertaken(write.then(() => true))) ?? false;
}
