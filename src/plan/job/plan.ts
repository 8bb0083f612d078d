import type { JobStatus } from '../../api/batch/job/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { EventText } from '../event-text.ts';
import type { BackoffHistory } from './backoff.ts';
import type { FailureAction } from './pod-failure-policy.ts';

/**
 * What is to be done about a Job now, as plain data. Whoever performs it keeps this order:
 *
 * 1. `adopt` and `release`. If one cannot be done, nothing below may be: look again.
 * 2. `remove` and `delete`. If one cannot be done, likewise.
 * 3. `create`, and beside it or after it write number 1: `status`.
 * 4. `takeFinalizers`, only after write number 1: a Pod is let go only once the status names it.
 * 5. Write number 2: `settled`, only when all finalizers were taken (else see settleStatus in track.ts).
 *
 * A missing status means that there is nothing to write. A Pod that turns out to be gone counts as done.
 * A crash between any two writes loses nothing: the next plan, made from what is there, goes on.
 */
export interface JobPlan {
	/** One sentence for people. */
	readonly because: string;
	/** What the metrics call it; nothing when the Job is none of our business. */
	readonly action?: SyncAction;
	/** Pods to make the Job's own: give them the owner reference and the tracking finalizer. */
	readonly adopt: readonly PodAct[];
	/** Pods to let go: take the owner reference and the tracking finalizer off. */
	readonly release: readonly PodAct[];
	/** Pods that are too many: take the tracking finalizer off, then delete. They are never counted. */
	readonly remove: readonly PodAct[];
	/** Pods to delete because the Job has ended; their finalizer stays until they are counted. */
	readonly delete: readonly PodAct[];
	readonly create: readonly PodCreation[];
	readonly status?: JobStatus;
	/** What to announce once write number 1 has succeeded. */
	readonly events: readonly EventText[];
	/** What the pod failure policy said about Pods, once each; told in the metrics after write number 1. */
	readonly failureActions: readonly FailureAction[];
	/** Pods to take the tracking finalizer off. */
	readonly takeFinalizers: readonly PodAct[];
	readonly settled?: JobStatus;
	/** What to announce once write number 2 has succeeded. */
	readonly settledEvents: readonly EventText[];
	/** How the Job has ended, where write number 2 makes its terminal condition. */
	readonly finished?: Finish;
	/** Look again after so many milliseconds, if nothing happens before. */
	readonly lookAgainMs?: number;
	/** To be handed in with the next snapshot of this Job. */
	readonly backoff: BackoffHistory;
}

/** Something to do to a Pod, and why. */
export interface PodAct {
	readonly pod: Pod;
	readonly because: string;
}

/** A Pod to create, complete but for what the server sets, and why. */
export interface PodCreation {
	readonly pod: Pod;
	readonly because: string;
	readonly reason: CreationReason;
}

/** What a plan is about, by the names that upstream's metrics have for it. */
export type SyncAction = 'reconciling' | 'tracking' | 'pods_created' | 'pods_deleted';

/** Whether a new Pod is one more or stands in for others, by the names that upstream's metrics have for it. */
export type CreationReason = 'new' | 'recreate_terminating_or_failed' | 'recreate_failed';

/** How a Job has ended, with the reason of its terminal condition. */
export interface Finish {
	readonly result: 'succeeded' | 'failed';
	readonly reason: string;
}

/** The plan to do nothing. */
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
