import type { JobStatus } from '../../api/batch/job/schema.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { BackoffHistory } from './backoff.ts';
import type { FailureAction } from './pod-failure-policy.ts';

/**
 * The writes that a Job needs now, as plain data. The controller applies them in this order:
 *
 * 1. `adopt` and `release`. If one fails, nothing below may be applied; the controller plans again.
 * 2. `remove` and `delete`. If one fails, likewise.
 * 3. `create` and, concurrently or afterwards, the first status write: `status`.
 * 4. `takeFinalizers`, only after the first status write: a Pod may lose its finalizer only when the status
 *    names it.
 * 5. The second status write: `settled`, only if all finalizers were removed (otherwise see settleStatus in
 *    status.ts).
 *
 * A status that is undefined needs no write. A write to a Pod that no longer exists counts as done. A crash
 * between any two writes loses nothing: the next plan is made from the objects as they are then, and completes
 * the work.
 */
export interface JobPlan {
	/** The reason of the plan, as a sentence for logs and tests. */
	readonly because: string;
	/**
	 * The value of the metrics' `action` label; undefined if the plan is empty because this controller ignores
	 * the Job.
	 */
	readonly action?: SyncAction;
	/** Pods to adopt: they get the owner reference and the tracking finalizer. */
	readonly adopt: readonly PodAct[];
	/** Pods to release: they lose the owner reference and the tracking finalizer. */
	readonly release: readonly PodAct[];
	/** Surplus Pods: they lose the tracking finalizer and are then deleted. They are never counted. */
	readonly remove: readonly PodAct[];
	/** Pods to delete because the Job ends; they keep their finalizer until they are counted. */
	readonly delete: readonly PodAct[];
	readonly create: readonly PodCreation[];
	/** The first status write. */
	readonly status?: JobStatus;
	/** Events to record after the first status write. */
	readonly events: readonly EventText[];
	/**
	 * One action per Pod that matched a rule of the pod failure policy, for the metrics after the first status
	 * write.
	 */
	readonly failureActions: readonly FailureAction[];
	/** Pods that lose the tracking finalizer. */
	readonly takeFinalizers: readonly PodAct[];
	/** The second status write: these Pods are counted, and the terminal condition is added. */
	readonly settled?: JobStatus;
	/** Events to record after the second status write. */
	readonly settledEvents: readonly EventText[];
	/** The outcome of the Job, if the second status write adds the terminal condition. */
	readonly finished?: Finish;
	/** Milliseconds after which the Job must be reconciled again, even if nothing changes until then. */
	readonly lookAgainMs?: number;
	/** The history for the next snapshot of this Job. */
	readonly backoff: BackoffHistory;
}

/** A write to a Pod, and its reason. */
export interface PodAct {
	readonly pod: Pod;
	readonly because: string;
}

/** A Pod to create, complete except for the fields that the API server sets, and the reason. */
export interface PodCreation {
	readonly pod: Pod;
	readonly because: string;
	readonly reason: CreationReason;
}

/** The main action of a plan; the values of upstream's metrics label `action`. */
export type SyncAction = 'reconciling' | 'tracking' | 'pods_created' | 'pods_deleted';

/** Whether a Pod is new or replaces others; the values of upstream's metrics label `reason`. */
export type CreationReason = 'new' | 'recreate_terminating_or_failed' | 'recreate_failed';

/** The outcome of a Job, with the reason of its terminal condition. */
export interface Finish {
	readonly result: 'succeeded' | 'failed';
	readonly reason: string;
}

/** An empty plan. */
export function nothingToDo(because: string, backoff: BackoffHistory): JobPlan {
	return {
		because,
		adopt: [],
		release: [],
		remove: [],
		delete: [],
		create: [],
		events: [],
		failureActions: [],
		takeFinalizers: [],
		settledEvents: [],
		backoff,
	};
}
