import { isManagedElsewhere } from '../../api/batch/job/managed-by.ts';
import type { Job, JobStatus } from '../../api/batch/job/schema.ts';
import { hasEnded } from '../../api/core/pod/phase.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { exponentialBuckets, type Metrics } from '../../base/metrics.ts';
import { countFinished } from '../../plan/job/finished-counts.ts';
import type { CreationReason, Finish, SyncAction } from '../../plan/job/plan.ts';
import type { FailureAction } from '../../plan/job/pod-failure-policy.ts';
import { isIndexed, isTracked } from '../../plan/job/pods/classify.ts';

/** One completed reconcile of a Job. */
export interface Sync {
	readonly job: Job;
	readonly action: SyncAction;
	readonly result: 'success' | 'error';
	readonly durationMs: number;
}

/**
 * The metrics of the Job controller with upstream's names and labels (`job_controller_*`, upstream:
 * pkg/controller/job/metrics/metrics.go). The plans supply the counts.
 *
 * One deliberate difference: a Pod that could not be created is counted as failed only. Upstream counts it as
 * failed and, in addition, as succeeded.
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

	/** Records a completed reconcile. */
	synced({ job, action, result, durationMs }: Sync): void {
		const mode = modeOf(job);
		this.#syncSeconds.with(mode, result, action).observe(durationMs / 1000);
		this.#syncs.with(mode, result, action).inc();
	}

	/** Records a status write; `job` is the Job as it was before the write. */
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

	/** Records that the Job's terminal condition was written. */
	jobFinished(job: Job, { result, reason }: Finish): void {
		this.#jobsFinished.with(modeOf(job), result, reason).inc();
	}

	/** Records the actions of pod failure policy rules that matched newly recorded Pods. */
	failuresHandled(actions: readonly FailureAction[]): void {
		for (const action of actions) this.#failuresHandled.with(action).inc();
	}

	/** Records the creation of a Pod, or its failure. */
	podCreated(reason: CreationReason, status: 'succeeded' | 'failed'): void {
		this.#podsCreated.with(reason, status).inc();
	}

	/** Counts Pods that start or stop being ended with the tracking finalizer, whether or not a Job owns them. */
	podChanged(pod: Pod | undefined, old: Pod | undefined): void {
		const is = isTrackedEnd(pod);
		if (is !== isTrackedEnd(old)) this.#trackedEnded.with(is ? 'add' : 'delete').inc();
	}

	/** Records a Job that the informer shows for the first time. */
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
	help: 'Duration of the reconciles of Jobs, in seconds.',
	labelNames: ['completion_mode', 'result', 'action'],
	buckets: exponentialBuckets(0.004, 2, 15),
};

const SYNCS = {
	name: 'job_controller_job_syncs_total',
	help: 'Number of reconciles of Jobs.',
	labelNames: ['completion_mode', 'result', 'action'],
};

const JOBS_FINISHED = {
	name: 'job_controller_jobs_finished_total',
	help: 'Number of Jobs that have finished, by the reason of their terminal condition.',
	labelNames: ['completion_mode', 'result', 'reason'],
};

const PODS_FINISHED = {
	name: 'job_controller_job_pods_finished_total',
	help: 'Number of ended Pods that are counted in the status of their Job. For Indexed Jobs, successes are counted by index.',
	labelNames: ['completion_mode', 'result'],
};

const FAILURES_HANDLED = {
	name: 'job_controller_pod_failures_handled_by_failure_policy_total',
	help: 'Number of failed Pods that matched a rule of the pod failure policy, by the action of the rule.',
	labelNames: ['action'],
};

const TRACKED_ENDED = {
	name: 'job_controller_terminated_pods_tracking_finalizer_total',
	help: 'Number of ended Pods that gained (add) or lost (delete) the tracking finalizer batch.kubernetes.io/job-tracking.',
	labelNames: ['event'],
};

const INDEXES_FINISHED = {
	name: 'job_controller_job_finished_indexes_total',
	help: 'Number of finished indexes of Indexed Jobs, by the backoff limit that applies: perIndex or global.',
	labelNames: ['status', 'backoffLimit'],
};

const PODS_CREATED = {
	name: 'job_controller_job_pods_creation_total',
	help: 'Number of attempts to create Pods for Jobs, by the result and the reason: new Pods, or replacements of others.',
	labelNames: ['reason', 'status'],
};

const MANAGED_ELSEWHERE = {
	name: 'job_controller_jobs_by_external_controller_total',
	help: 'Number of Jobs whose spec.managedBy assigns them to another controller.',
	labelNames: ['controller_name'],
};
