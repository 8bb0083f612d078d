import { jobs } from '../../api/batch/job/definition.ts';
import type { Job, JobStatus } from '../../api/batch/job/schema.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { ApiError, conflict, isNamespaceTerminating, messageOf, notFound } from '../../api/meta/api-error.ts';
import { controllerReferenceTo } from '../../api/meta/controller-reference.ts';
import type { ConcurrencyLimit } from '../../base/concurrency-limit.ts';
import type { Client, ResourceClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { isGone, isPatchedGone } from '../../client/gone.ts';
import { TRACKING_FINALIZER } from '../../plan/job/identifiers.ts';
import type { PodCreation } from '../../plan/job/plan.ts';
import type { JobMetrics } from './job-metrics.ts';

/** What a {@link JobWriter} writes with. */
export interface JobWriterOptions {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	readonly metrics: JobMetrics;
	/** Where statuses that tell of a start wait for each other, so that they do not hold up other starts. */
	readonly startLimit: ConcurrencyLimit;
}

/**
 * The writes of one pass over one Job, each with the Events and the counts that upstream makes of it.
 * Whoever makes the next pass must see them: `podVersion` and `jobVersion` tell how far the informers have
 * to be, and `gone` which Pods they must not show any more.
 */
export class JobWriter {
	readonly #job: Job;
	readonly #jobs: ResourceClient<Job>;
	readonly #pods: ResourceClient<Pod>;
	readonly #recorder: Pick<EventRecorder, 'event'>;
	readonly #metrics: JobMetrics;
	readonly #startLimit: ConcurrencyLimit;
	/** The Pods that turned out to be gone. */
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

	/** The latest resourceVersion that a write to a Pod resulted in. */
	get podVersion(): string {
		return `${this.#podVersion}`;
	}

	/** The latest resourceVersion that a write to the Job resulted in. */
	get jobVersion(): string {
		return `${this.#jobVersion}`;
	}

	/** A creation failed in a way that does not tell whether there is a Pod now. */
	get mayHaveCreated(): boolean {
		return this.#mayHaveCreated;
	}

	/** Makes the Pod the Job's own, after making sure that the Job is still there to own it. */
	async adopt({ metadata }: Pod): Promise<void> {
		const { name = '', uid, deletionTimestamp } = this.#job.metadata;
		const current = await this.#jobs.get(name);
		const subject = { group: 'batch', resource: 'jobs', name };
		if (current.metadata.uid !== uid) throw notFound(subject);
		if (current.metadata.deletionTimestamp && !deletionTimestamp)
			throw conflict(subject, 'it is being deleted');
		const ownerReferences = [controllerReferenceTo(this.#job)];
		await this.#patch(metadata.name, {
			uid: metadata.uid,
			ownerReferences,
			finalizers: [TRACKING_FINALIZER],
		});
	}

	/** Lets go of a Pod that the selector does not match. */
	async release(pod: Pod): Promise<void> {
		const { name, uid } = pod.metadata;
		const ownerReferences = [{ $patch: 'delete', uid: this.#job.metadata.uid }];
		await this.#orGone(pod, this.#patch(name, { uid, ownerReferences, ...WITHOUT_TRACKING }));
	}

	async takeFinalizer(pod: Pod): Promise<void> {
		const { name, uid } = pod.metadata;
		await this.#orGone(pod, this.#patch(name, { uid, ...WITHOUT_TRACKING }));
	}

	/** Takes the finalizer off first, so that the deletion is not seen as a failure. */
	async remove(pod: Pod): Promise<void> {
		await this.takeFinalizer(pod);
		await this.delete(pod);
	}

	async delete(pod: Pod): Promise<void> {
		const { name = '', uid } = pod.metadata;
		try {
			this.#seePod(await this.#pods.delete(name, uid === undefined ? {} : { preconditions: { uid } }));
			this.#event('Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
		} catch (error) {
			// Gone, or its name is another Pod's now.
			if (isGone(error)) {
				this.gone.push(pod);
				return;
			}
			this.#event('Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
			throw error;
		}
	}

	/** Resolves to whether there is a new Pod: in a namespace that is going away there is none. */
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

	/** Writes the status onto the Job as it was read or last written; resolves to the Job as stored. */
	async updateStatus(job: Job, status: JobStatus): Promise<Job> {
		const stored = await this.#jobs.update({ ...job, status }, 'status');
		this.#jobVersion = Math.max(this.#jobVersion, Number(stored.metadata.resourceVersion));
		this.#metrics.statusWritten(job, stored.status);
		return stored;
	}

	/** The same for a status that tells of Pods which are being made; Pods of other Jobs come first. */
	tellStart(job: Job, status: JobStatus): Promise<Job> {
		return this.#startLimit.run(() => this.updateStatus(job, status));
	}

	/** Announces something about the Job. */
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
			if (!isPatchedGone(error)) throw error;
			this.gone.push(pod);
		}
	}

	#seePod(answer: unknown): void {
		this.#podVersion = Math.max(this.#podVersion, versionOf(answer));
	}
}

/** A deletion answers with the Pod as long as it is there, else with a Status, whose version is none. */
function versionOf(answer: unknown): number {
	if (typeof answer !== 'object' || answer === null || !('metadata' in answer)) return 0;
	const { metadata } = answer;
	if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return 0;
	return Number(metadata.resourceVersion) || 0;
}

/** A part of a strategic merge patch on metadata; other finalizers stay, whatever they are by now. */
const WITHOUT_TRACKING = { '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] };
