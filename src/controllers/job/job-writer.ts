import { jobs } from '../../api/batch/job/definition.ts';
import { TRACKING_FINALIZER } from '../../api/batch/job/labels.ts';
import type { Job, JobStatus } from '../../api/batch/job/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError, isNamespaceTerminating } from '../../api/errors/api-error.ts';
import { controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import { messageOf } from '../../base/message-of.ts';
import type { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';
import { checkOwner } from '../../client/adoption.ts';
import type { Client, ResourceClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { isGone, isOvertaken, revisionOfAnswer, uidPrecondition } from '../../client/outcomes.ts';
import type { PodCreation } from '../../plan/job/plan.ts';
import type { JobMetrics } from './job-metrics.ts';

/**
 * Part of a strategic merge patch on metadata that removes the tracking finalizer only, and keeps those added
 * meanwhile.
 */
export const WITHOUT_TRACKING = { '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] };

/** The dependencies of a {@link JobWriter}. */
export interface JobWriterOptions {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly metrics: JobMetrics;
	/** Limits concurrent status writes that report a start, so that they do not delay the creation of Pods. */
	readonly startLimit: ConcurrencyLimit;
}

/**
 * The writes of one reconcile of one Job, each with upstream's Events and metrics.
 *
 * The next reconcile must see them all. `podVersion` and `jobVersion` are the resourceVersions that the
 * informers must have reached by then; `gone` lists the Pods that they must no longer show.
 */
export class JobWriter {
	readonly #job: Job;
	readonly #jobs: ResourceClient<Job>;
	readonly #pods: ResourceClient<Pod>;
	readonly #recorder: Pick<EventRecorder, 'event'>;
	readonly #metrics: JobMetrics;
	readonly #startLimit: ConcurrencyLimit;
	/** The Pods that a write found to be deleted, or replaced by another Pod of the same name. */
	readonly gone: Pod[] = [];
	#podVersion = 0;
	#mayHaveCreated = false;
	#jobVersion = 0;

	constructor(job: Job, { client, recorder, metrics, startLimit }: JobWriterOptions) {
		this.#job = job;
		this.#jobs = client.resource(jobs, job.metadata.namespace);
		this.#pods = client.resource(pods, job.metadata.namespace);
		this.#recorder = recorder;
		this.#metrics = metrics;
		this.#startLimit = startLimit;
	}

	/** The highest resourceVersion that a write to a Pod returned; '0' if there was none. */
	get podVersion(): string {
		return `${this.#podVersion}`;
	}

	/** The highest resourceVersion that a write to the Job returned; '0' if there was none. */
	get jobVersion(): string {
		return `${this.#jobVersion}`;
	}

	/** Whether a creation failed without revealing if the Pod exists: by a lost connection or a 5xx response. */
	get mayHaveCreated(): boolean {
		return this.#mayHaveCreated;
	}

	/**
	 * Adopts the Pod: sets the Job as its controller and adds the tracking finalizer. Rejects like {@link checkOwner} if the
	 * cached Job is stale.
	 */
	async adopt({ metadata }: Pod): Promise<void> {
		await checkOwner(this.#jobs, jobs, this.#job);
		const ownerReferences = [controllerReferenceTo(this.#job)];
		await this.#patch(metadata.name, {
			uid: metadata.uid,
			ownerReferences,
			finalizers: [TRACKING_FINALIZER],
		});
	}

	/** Removes the owner reference and the tracking finalizer from a Pod that the selector no longer matches. */
	async release(pod: Pod): Promise<void> {
		const { name, uid } = pod.metadata;
		const ownerReferences = [{ $patch: 'delete', uid: this.#job.metadata.uid }];
		await this.#orGone(pod, this.#patch(name, { uid, ownerReferences, ...WITHOUT_TRACKING }));
	}

	/** Removes the tracking finalizer of a Pod that the Job's status accounts for. */
	async takeFinalizer(pod: Pod): Promise<void> {
		const { name, uid } = pod.metadata;
		await this.#orGone(pod, this.#patch(name, { uid, ...WITHOUT_TRACKING }));
	}

	/**
	 * Deletes a Pod without counting it. The finalizer is removed first: otherwise the deletion would count as a
	 * failure.
	 */
	async remove(pod: Pod): Promise<void> {
		await this.takeFinalizer(pod);
		await this.delete(pod);
	}

	/** Deletes a Pod of this UID; the tracking finalizer keeps it until the Job has counted it. */
	async delete(pod: Pod): Promise<void> {
		const { name = '' } = pod.metadata;
		try {
			this.#seePod(await this.#pods.delete(name, uidPrecondition(pod)));
			this.#event('Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
		} catch (error) {
			// The Pod is gone, or another Pod has its name.
			if (isOvertaken(error)) {
				this.gone.push(pod);
				return;
			}
			this.#event('Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
			throw error;
		}
	}

	/**
	 * Resolves to true if the Pod was created, to false if its namespace is being deleted; rejects with other
	 * errors.
	 */
	async create({ pod, reason }: PodCreation): Promise<boolean> {
		try {
			const created = await this.#pods.create(pod);
			this.#seePod(created);
			this.#metrics.podCreated(reason, 'succeeded');
			this.#event('Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`);
			return true;
		} catch (error) {
			if (isNamespaceTerminating(error)) return false;
			if (!(error instanceof ApiError) || error.code >= 500) this.#mayHaveCreated = true;
			this.#metrics.podCreated(reason, 'failed');
			this.#event('Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
			throw error;
		}
	}

	/** Writes the status. `job` is the Job as read or last written; its resourceVersion guards the write. */
	async updateStatus(job: Job, status: JobStatus): Promise<Job> {
		const stored = await this.#jobs.update({ ...job, status }, 'status');
		this.#jobVersion = Math.max(this.#jobVersion, Number(stored.metadata.resourceVersion));
		this.#metrics.statusWritten(job, stored.status);
		return stored;
	}

	/**
	 * Like {@link updateStatus}, for a status that reports Pods under creation. Limited: Pods of other Jobs take
	 * priority.
	 */
	updateStatusOfStart(job: Job, status: JobStatus): Promise<Job> {
		return this.#startLimit.run(() => this.updateStatus(job, status));
	}

	/** Records an Event about the Job. */
	announce(text: { type: 'Normal' | 'Warning'; reason: string; message: string }): void {
		this.#recorder.event(this.#job, text);
	}

	#event(type: 'Normal' | 'Warning', reason: string, message: string): void {
		this.announce({ type, reason, message });
	}

	async #patch(name: string | undefined, metadata: unknown): Promise<void> {
		this.#seePod(await this.#pods.patch(name ?? '', 'strategic', { metadata }));
	}

	async #orGone(pod: Pod, write: Promise<void>): Promise<void> {
		try {
			await write;
		} catch (error) {
			if (!isGone(error)) throw error;
			this.gone.push(pod);
		}
	}

	#seePod(answer: unknown): void {
		this.#podVersion = Math.max(this.#podVersion, revisionOfAnswer(answer));
	}
}
