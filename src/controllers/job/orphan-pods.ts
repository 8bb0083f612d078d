import { isManagedElsewhere } from '../../api/batch/job/managed-by.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { pods as podResource } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { DONE, type Outcome } from '../../base/queue/reconcile-loop.ts';
import type { Client } from '../../client/client.ts';
import { subjectsIn } from '../../client/conflicts.ts';
import { Controller, type ControllerContext } from '../../client/controller.ts';
import { type Informer, keyOfObject, splitKey } from '../../client/informer.ts';
import { isGone } from '../../client/outcomes.ts';
import { isFinished } from '../../plan/job/conditions.ts';
import { isTracked } from '../../plan/job/pods/classify.ts';
import { WITHOUT_TRACKING } from './job-writer.ts';

/** The dependencies of {@link OrphanPods}. */
export interface OrphanPodsOptions extends ControllerContext {
	readonly client: Client;
	readonly pods: Informer<Pod>;
	/** The Job that controls the Pod, if it still exists. */
	readonly ownerOf: (pod: Pod) => Job | undefined;
}

/**
 * Removes the tracking finalizer from Pods that no Job will count, so that their deletion can complete
 * (upstream: syncOrphanPod).
 *
 * Each patch carries the resourceVersion that was judged. A Job may adopt the Pod between the check and the
 * patch; an unconditional removal, as upstream does it, would make that Job miss the Pod in its counts.
 */
export class OrphanPods {
	readonly #options: OrphanPodsOptions;
	readonly #controller: Controller;

	constructor(options: OrphanPodsOptions) {
		this.#options = options;
		this.#controller = new Controller(
			{
				name: 'job_orphan_pod',
				// The Job controller follows the informers, and adds the Pods.
				watches: [],
				workers: 16,
				backoff: { baseMs: 1000, capMs: 60_000 },
				subjects: subjectsIn(options.pods),
				reconcile: (key) => this.#release(key),
			},
			options,
		);
	}

	/** Queues the Pod for a check; it need not be an orphan. */
	add(pod: Pod): void {
		this.#controller.add(keyOfObject(pod));
	}

	/** Runs until `signal` aborts. */
	run(signal: AbortSignal): Promise<void> {
		return this.#controller.run(signal);
	}

	async #release(key: string): Promise<Outcome> {
		const { client, pods, ownerOf } = this.#options;
		const { namespace, name } = splitKey(key);
		const pod = pods.get(namespace, name);
		if (!pod || !isTracked(pod) || !isOrphan(pod, ownerOf(pod))) return DONE;
		const { uid, resourceVersion } = pod.metadata;
		try {
			const metadata = { uid, resourceVersion, ...WITHOUT_TRACKING };
			await client.resource(podResource, namespace).patch(name, 'strategic', { metadata });
		} catch (error) {
			if (!isGone(error)) throw error;
		}
		return DONE;
	}
}

/** Whether no Job will count the Pod: it has no controller, or its Job no longer exists or has finished. */
function isOrphan(pod: Pod, owner: Job | undefined): boolean {
	const reference = controllerOf(pod);
	if (!reference) return true;
	if (reference.kind !== 'Job' || reference.apiVersion !== 'batch/v1') return false;
	return !owner || (isFinished(owner) && !isManagedElsewhere(owner));
}
