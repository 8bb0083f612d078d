import type { Job, JobStatus } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { exponentialBuckets, type Metrics } from '../../base/metrics.ts';
import { hasEnded, isIndexed, isTracked } from '../../plan/job/classify.ts';
import { countFinished } from '../../plan/job/finished-counts.ts';
import { isManagedElsewhere } from '../../plan/job/identifiers.ts';
import type { CreationReason, Finish, SyncAction } from '../../plan/job/plan.ts';
import type { FailureAction } from '../../plan/job/pod-failure-policy.ts';

/** One pass over a Job. */
export interface Sync {
	readonly job: Job;
	readonly action: SyncAction;
	readonly result: 'success' | 'error';
	readonly durationMs: number;
}

/**
 * The metrics of the Job controller by upstream's names and labels (`job_controller_*`). What they count
 * is what plans say; one thing differs from upstream on purpose: a Pod that could not be created counts
 * as failed, where upstream counts it as failed and as succeeded.
 */
export class JobMetrics {
	readonly #syncSeconds;
	readonly #syncs;
	readonly #jobsFinished;
	readonly #podsFinished;
	readonly #failuresHandled;
	readonly #trackedEnded;
	readonly #indexesFinished;
	readonly #podsCreated;
	readonly #managedElsewhere;

	constructor(metrics: Metrics) {
		this.#syncSeconds = metrics.histogram(SYNC_SECONDS);
		this.#syncs = metrics.counter(SYNCS);
		this.#jobsFinished = metrics.counter(JOBS_FINISHED);
		this.#podsFinished = metrics.counter(PODS_FINISHED);
		this.#failuresHandled = metrics.counter(FAILURES_HANDLED);
		this.#trackedEnded = metrics.counter(TRACKED_ENDED);
		this.#indexesFinished = metrics.counter(INDEXES_FINISHED);
		this.#podsCreated = metrics.counter(PODS_CREATED);
		this.#managedElsewhere = metrics.counter(MANAGED_ELSEWHERE);
	}

	/** A pass has ended. */
	synced({ job, action, result, durationMs }: Sync): void {
		const mode = modeOf(job);
		this.#syncSeconds.with(mode, result, action).observe(durationMs / 1000);
		this.#syncs.with(mode, result, action).inc();
	}

	/** A status was written onto `job` as it was before. */
	statusWritten(job: Job, written: JobStatus): void {
		const mode = modeOf(job);
		const { succeeded, failed, indexes } = countFinished(job, written);
		this.#podsFinished.with(mode, 'succeeded').inc(succeeded);
		this.#podsFinished.with(mode, 'failed').inc(failed);
		if (!indexes) return;
		const limit = job.spec.backoffLimitPerIndex === undefined ? 'global' : 'perIndex';
		this.#indexesFinished.with('succeeded', limit).inc(indexes.succeeded);
		if (indexes.failed !== undefined) this.#indexesFinished.with('failed', limit).inc(indexes.failed);
	}

	/** The Job's terminal condition was written. */
	jobFinished(job: Job, { result, reason }: Finish): void {
		this.#jobsFinished.with(modeOf(job), result, reason).inc();
	}

	/** Rules of the pod failure policy have decided about Pods that are noted now. */
	failuresHandled(actions: readonly FailureAction[]): void {
		for (const action of actions) this.#failuresHandled.with(action).inc();
	}

	/** A Pod was created, or could not be. */
	podCreated(reason: CreationReason, status: 'succeeded' | 'failed'): void {
		this.#podsCreated.with(reason, status).inc();
	}

	/** Watches Pods, of Jobs or not, that have ended and hold the tracking finalizer come and go. */
	podChanged(pod: Pod | undefined, old: Pod | undefined): void {
		const is = isTrackedEnd(pod);
		if (is !== isTrackedEnd(old)) this.#trackedEnded.with(is ? 'add' : 'delete').inc();
	}

	/** There is a new Job. */
	jobAdded(job: Job): void {
		if (isManagedElsewhere(job)) this.#managedElsewhere.with(job.spec.managedBy ?? '').inc();
	}
}

function modeOf(job: Job): string {
	return isIndexed(job) ? 'Indexed' : 'NonIndexed';
}

function isTrackedEnd(pod: Pod | undefined): boolean {
	return pod !== undefined && hasEnded(pod) && isTracked(pod);
}

const SYNC_SECONDS = {
	name: 'job_controller_job_sync_duration_seconds',
	help: 'How long a pass over a Job took.',
	labelNames: ['completion_mode', 'result', 'action'],
	buckets: exponentialBuckets(0.004, 2, 15),
};

const SYNCS = {
	name: 'job_controller_job_syncs_total',
	help: 'Passes over Jobs.',
	labelNames: ['completion_mode', 'result', 'action'],
};

const JOBS_FINISHED = {
	name: 'job_controller_jobs_finished_total',
	help: 'Jobs that have ended, with the reason of their terminal condition.',
	labelNames: ['completion_mode', 'result', 'reason'],
};

const PODS_FINISHED = {
	name: 'job_controller_job_pods_finished_total',
	help: 'Ended Pods that their Job has counted; of an Indexed Job the indexes that succeeded.',
	labelNames: ['completion_mode', 'result'],
};

const FAILURES_HANDLED = {
	name: 'job_controller_pod_failures_handled_by_failure_policy_total',
	help: 'Failed Pods that a rule of the pod failure policy decided about, by the action of the rule.',
	labelNames: ['action'],
};

const TRACKED_ENDED = {
	name: 'job_controller_terminated_pods_tracking_finalizer_total',
	help: 'Ended Pods that came to hold the tracking finalizer (add) or ceased to (delete).',
	labelNames: ['event'],
};

const INDEXES_FINISHED = {
	name: 'job_controller_job_finished_indexes_total',
	help: 'Indexes of Indexed Jobs that have ended, by the backoff limit that counts: perIndex or global.',
	labelNames: ['status', 'backoffLimit'],
};

const PODS_CREATED = {
	name: 'job_controller_job_pods_creation_total',
	help: 'Pods that were created for Jobs or could not be, by what they are for: new ones, or in place of others.',
	labelNames: ['reason', 'status'],
};

const MANAGED_ELSEWHERE = {
	name: 'job_controller_jobs_by_external_controller_total',
	help: 'Jobs whose managedBy hands them to another controller.',
	labelNames: ['controller_name'],
};
