import { cronjobs } from '../../api/batch/cronjob/definition.ts';
import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { jobs } from '../../api/batch/job/definition.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import { isApiError, isNamespaceTerminating } from '../../api/errors/api-error.ts';
import { controllerOf } from '../../api/meta/controller-reference.ts';
import { timeOf } from '../../api/meta/time.ts';
import { messageOf } from '../../base/message-of.ts';
import type { ConcurrencyLimit } from '../../base/queue/concurrency-limit.ts';
import type { Client, DeletionRequest, ResourceClient } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { JobReference, JobStart } from '../../plan/cronjob/plan.ts';

/** The dependencies of a {@link CronJobWriter}. */
export interface CronJobWriterOptions {
	readonly client: Client;
	readonly recorder: Pick<EventRecorder, 'event'>;
	/** Limits concurrent status writes, so that they do not delay the creation of other Jobs. */
	readonly statusLimit: ConcurrencyLimit;
	/** Called for each created Job with its delay after the scheduled time, in seconds. */
	readonly onStarted: (latenessSeconds: number) => void;
}

/** The writes of one reconcile of one CronJob, each with upstream's Events. */
export class CronJobWriter {
	readonly #cronJob: CronJob;
	readonly #options: CronJobWriterOptions;
	readonly #jobs: ResourceClient<Job>;
	#jobVersion = '0';
	#cronJobVersion = '0';

	constructor(cronJob: CronJob, options: CronJobWriterOptions) {
		this.#cronJob = cronJob;
		this.#options = options;
		this.#jobs = options.client.resource(jobs, cronJob.metadata.namespace);
	}

	/** The resourceVersion of the Job that was created; '0' if there was none. */
	get jobVersion(): string {
		return this.#jobVersion;
	}

	/** The resourceVersion of the CronJob after its status was written; '0' if it was not written. */
	get cronJobVersion(): string {
		return this.#cronJobVersion;
	}

	/** Records an Event about the CronJob. */
	announce(text: EventText): void {
		this.#options.recorder.event(this.#cronJob, text);
	}

	/**
	 * Deletes a Job of the history, with its Pods. The precondition is the resourceVersion that the plan was made
	 * from: a user may have removed the owner reference since, to keep the Job. Never rejects; a failure is
	 * recorded as an Event, and the next reconcile plans the deletion again.
	 */
	async cleanUp(job: Job): Promise<void> {
		const { uid = '', resourceVersion = '' } = job.metadata;
		await this.#delete(job, { uid, resourceVersion }).catch(() => undefined);
	}

	/** Deletes a running Job because of `concurrencyPolicy: Replace`. Rejects if it cannot be read or deleted. */
	async replace({ name = '' }: JobReference): Promise<void> {
		let job: Job;
		try {
			job = await this.#jobs.get(name);
		} catch (error) {
			this.announce({ type: 'Warning', reason: 'FailedGet', message: `Get job: ${messageOf(error)}` });
			throw error;
		}
		const { namespace = '', uid = '' } = job.metadata;
		await this.#delete(job, { uid }).catch((cause: unknown) => {
			throw new Error(`could not replace job ${namespace}/${name}`, { cause });
		});
	}

	/**
	 * Rejects if the deletion fails. Records an Event about it, except for a Conflict: then the Job has only
	 * changed.
	 */
	async #delete(
		{ metadata: { name = '' } }: Job,
		preconditions: NonNullable<DeletionRequest['preconditions']>,
	): Promise<void> {
		try {
			await this.#jobs.delete(name, { propagationPolicy: 'Background', preconditions });
		} catch (error) {
			if (!isApiError(error, 'Conflict')) {
				const message = `Deleted job: ${messageOf(error)}`;
				this.announce({ type: 'Warning', reason: 'FailedDelete', message });
			}
			throw error;
		}
		this.announce({ type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted job ${name}` });
	}

	/**
	 * Creates a Job and resolves to it. If a Job of that name exists, resolves to that one if this CronJob
	 * controls it (an earlier attempt created it and the response was lost), otherwise to undefined.
	 */
	async create({ create, dueMs }: JobStart): Promise<Job | undefined> {
		try {
			const job = await this.#jobs.create(create);
			this.#jobVersion = job.metadata.resourceVersion ?? '0';
			this.#options.onStarted(((timeOf(job.metadata.creationTimestamp) ?? dueMs) - dueMs) / 1000);
			const message = `Created job ${job.metadata.name}`;
			this.announce({ type: 'Normal', reason: 'SuccessfulCreate', message });
			return job;
		} catch (error) {
			if (isApiError(error, 'AlreadyExists')) return this.#ownOf(create.metadata.name ?? '');
			if (!isNamespaceTerminating(error)) {
				const message = `Error creating job: ${messageOf(error)}`;
				this.announce({ type: 'Warning', reason: 'FailedCreate', message });
			}
			throw error;
		}
	}

	async #ownOf(name: string): Promise<Job | undefined> {
		const job = await this.#jobs.get(name);
		return controllerOf(job)?.uid === this.#cronJob.metadata.uid ? job : undefined;
	}

	/** Writes the status; rejects with a Conflict if the CronJob has changed since it was read. */
	async updateStatus(status: CronJob['status']): Promise<void> {
		const target = this.#options.client.resource(cronjobs, this.#cronJob.metadata.namespace);
		const updated = { ...this.#cronJob, status };
		const stored = await this.#options.statusLimit.run(() => target.update(updated, 'status'));
		this.#cronJobVersion = stored.metadata.resourceVersion ?? '0';
	}
}
