import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Informer } from '../../client/informer.ts';
import { isGone, uidPrecondition, unlessOvertaken } from '../../client/outcomes.ts';
import type { PodPlan } from '../../plan/pod/plan.ts';

/** The dependencies of {@link PodReports}. */
export interface PodReportsOptions {
	readonly client: Client;
	readonly clock: Pick<Clock, 'monotonic'>;
	readonly pods: Pick<Informer<Pod>, 'reached'>;
}

/**
 * How long the first status with phase `Running` is delayed. Most short Pods end within this time, so that one write
 * reports both the start and the end. Only the report is delayed: no decision waits for it.
 */
const RUNNING_HOLD_MS = 10;

/** The writes of Pod workers to the API: statuses, and the removal of Pods whose containers are gone. */
export class PodReports {
	readonly #options: PodReportsOptions;
	/** By Pod UID, when its first `Running` status was delayed, by the monotonic clock. */
	readonly #held = new Map<string, number>();

	constructor(options: PodReportsOptions) {
		this.#options = options;
	}

	/** How long the status must still be delayed, in ms: see {@link RUNNING_HOLD_MS}. 0 ends the delay. */
	holdFor(pod: Pod, plan: PodPlan): number {
		const hold = this.#remainingHold(pod, plan);
		if (hold <= 0) this.forget(pod.metadata.uid ?? '');
		return Math.max(0, hold);
	}

	#remainingHold(pod: Pod, { status, end }: PodPlan): number {
		if (end || status.phase !== 'Running' || pod.status.phase === 'Running') return 0;
		const now = this.#options.clock.monotonic();
		const uid = pod.metadata.uid ?? '';
		const heldAt = this.#held.get(uid) ?? now;
		this.#held.set(uid, heldAt);
		return heldAt + RUNNING_HOLD_MS - now;
	}

	/** Forgets that a status of the Pod was delayed. */
	forget(uid: string): void {
		this.#held.delete(uid);
	}

	/**
	 * Writes the status. Resolves to true once the cache has the written Pod. Resolves to false if the Pod was deleted
	 * meanwhile: its worker is then woken for its deletion.
	 */
	async write(pod: Pod, status: PodStatus): Promise<boolean> {
		const { client, pods } = this.#options;
		try {
			const target = client.resource(podResource, pod.metadata.namespace);
			const written = await target.update({ ...pod, status }, 'status');
			await pods.reached(written.metadata.resourceVersion);
			return true;
		} catch (error) {
			if (isGone(error)) return false;
			throw error;
		}
	}

	/** Deletes the Pod from the API with grace period 0, as the kubelet's status manager does once all has ended. */
	async remove(pod: Pod): Promise<void> {
		const { name = '', namespace } = pod.metadata;
		// The delete was sent before: the API server removes the Pod once the owner of the finalizer is done.
		if (pod.metadata.deletionGracePeriodSeconds === 0 && (pod.metadata.finalizers ?? []).length > 0) return;
		const options = { gracePeriodSeconds: 0, ...uidPrecondition(pod) };
		await unlessOvertaken(this.#options.client.resource(podResource, namespace).delete(name, options));
	}
}
