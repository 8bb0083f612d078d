/**
 * Plans the next writes for a Job. This folder holds all semantics of Jobs; the controller only observes and
 * applies. {@link planJob} is pure: the same snapshot gives the same plan. Specification: upstream's syncJob
 * (pkg/controller/job/job_controller.go).
 *
 * Read in this order: snapshot.ts (input), plan.ts (output and the order of writes), claim.ts (which Pods
 * belong to the Job), classify.ts and view.ts (what the rules count), end-state.ts (when it ends), manage.ts
 * (which Pods to create and delete), track.ts (how ended Pods are counted).
 *
 * Invariants, which the property tests check:
 * 1. The number of active Pods never exceeds the number that the Job wants at that moment.
 * 2. Each ended Pod is counted exactly once, even if the process crashes between any two writes.
 * 3. A completion index that has succeeded is never started again.
 * 4. The terminal condition is added by a separate write after its interim condition, when every Pod is counted
 *    and no Pod is terminating. It never changes afterwards.
 */

import { isManagedElsewhere } from '../../api/batch/job/managed-by.ts';
import type { Job, JobCondition, JobStatus } from '../../api/batch/job/schema.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import { formatTime } from '../../api/meta/time.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { isFinished, withJobCondition } from './conditions.ts';
import { type EndState, findCompletion, findEndState, remainingDeadlineMs } from './end-state.ts';
import { type Management, managePods } from './manage.ts';
import { type Finish, type JobPlan, nothingToDo, type PodAct } from './plan.ts';
import { claimPods } from './pods/claim.ts';
import { type Tracking, trackPods } from './pods/track.ts';
import { type JobView, viewJob } from './pods/view.ts';
import type { JobSnapshot } from './snapshot.ts';
import { changeStatus } from './status.ts';

/** Plans the next writes for a Job; see the header of this file. */
export function planJob(seen: JobSnapshot): JobPlan {
	const idle = planNothing(seen);
	if (idle) return idle;
	const claim = claimPods(seen);
	const view = viewJob(seen, claim.pods);
	const progress = planPods(view);
	const updated = updateProgress(view, progress);
	const tracking = trackPods(view, progress.end, updated.status);
	const terminal = finish(view, progress, tracking);
	const lookAgainMs = earliest(
		tracking.truncated ? 0 : undefined,
		progress.management?.lookAgainMs,
		progress.end ? undefined : remainingDeadlineMs({ ...view.job, status: updated.status }, view.now),
	);
	const settled = terminal ?? tracking.settled;
	return {
		because: progress.end?.because ?? progress.management?.because ?? 'the Job is being deleted',
		action: progress.management?.action ?? 'reconciling',
		adopt: claim.adopt,
		release: claim.release,
		remove: progress.management?.remove ?? [],
		delete: progress.delete,
		create: progress.management?.create ?? [],
		...(!semanticEqual(tracking.status, view.job.status) && { status: tracking.status }),
		events: updated.events,
		failureActions: tracking.failureActions,
		takeFinalizers: tracking.takeFinalizers,
		...(settled !== tracking.status && { settled }),
		settledEvents: terminal && progress.end ? endEvents(view.job, terminal, progress.end) : [],
		...(terminal && progress.end && { finished: finishOf(progress.end) }),
		...(lookAgainMs !== undefined && { lookAgainMs }),
		backoff: view.backoff,
	};
}

/**
 * The empty plan for Jobs that another controller manages, that have finished, or that are of an unknown mode.
 */
function planNothing({ job, backoff }: JobSnapshot): JobPlan | undefined {
	const { managedBy, completionMode = 'NonIndexed' } = job.spec;
	if (isManagedElsewhere(job)) return nothingToDo(`${managedBy} manages the Job`, backoff);
	if (isFinished(job)) return nothingToDo('the Job has finished', backoff);
	if (completionMode === 'NonIndexed' || completionMode === 'Indexed') return undefined;
	const message = 'Skipped Job sync because completion mode is unknown';
	const events: EventText[] = [{ type: 'Warning', reason: 'UnknownCompletionMode', message }];
	return { ...nothingToDo('its completion mode is unknown', backoff), events };
}

/** What the Job's Pods will be after this plan, and the end that the Job has reached. */
interface Progress {
	readonly end: EndState | undefined;
	/** Undefined if the Job ends or is being deleted: then no Pods are created. */
	readonly management: Management | undefined;
	readonly delete: readonly PodAct[];
	/**
	 * The number of active Pods after the plan's creations, removals and deletions; `ready` and `terminating`
	 * likewise.
	 */
	readonly active: number;
	readonly ready: number;
	readonly terminating: number;
}

function planPods(view: JobView): Progress {
	const end = findEndState(view);
	if (end) {
		const deletions = view.active.map(({ pod }) => ({ pod, because: `the Job ends: ${end.because}` }));
		const terminating = view.terminating + deletions.length;
		return { end, management: undefined, delete: deletions, active: 0, ready: 0, terminating };
	}
	const management = view.job.metadata.deletionTimestamp ? undefined : managePods(view);
	const removed = new Set(management?.remove.map(({ pod }) => pod));
	const active = view.active.length - removed.size + (management?.create.length ?? 0);
	return {
		end: findCompletion(view, active),
		management,
		delete: [],
		active,
		ready: view.active.filter(({ ready, pod }) => ready && !removed.has(pod)).length,
		terminating: view.terminating + removed.size,
	};
}

/** The status with start time, suspension, interim condition, and the counts of Pods that have not ended. */
function updateProgress(
	{ job, now }: JobView,
	{ end, management, active, ready, terminating }: Progress,
): { readonly status: JobStatus; readonly events: readonly EventText[] } {
	const time = formatTime(now);
	let { conditions = [], startTime } = job.status;
	if (startTime === undefined && !job.spec.suspend) startTime = time;
	const events: EventText[] = [];
	if (end) {
		if (!end.announced)
			conditions = withJobCondition(conditions, { type: interimOf(end), status: 'True', ...end }, now);
	} else if (management) {
		const changed = withSuspension(job, conditions, now);
		if (changed) {
			conditions = changed.conditions;
			startTime = job.spec.suspend ? undefined : time;
			events.push(changed.event);
		}
	}
	return { status: changeStatus(job.status, { conditions, startTime, active, ready, terminating }), events };
}

/** The conditions after a change of `spec.suspend`, and the Event about it; undefined if it has not changed. */
function withSuspension(
	{ spec }: Job,
	before: readonly JobCondition[],
	now: number,
): { readonly conditions: readonly JobCondition[]; readonly event: EventText } | undefined {
	const verb = spec.suspend ? 'Suspended' : 'Resumed';
	const message = spec.suspend ? 'Job suspended' : 'Job resumed';
	const status = spec.suspend ? 'True' : 'False';
	const conditions = withJobCondition(
		before,
		{ type: 'Suspended', status, reason: `Job${verb}`, message },
		now,
	);
	if (conditions === before) return undefined;
	return { conditions, event: { type: 'Normal', reason: verb, message } };
}

function interimOf({ outcome }: EndState): 'SuccessCriteriaMet' | 'FailureTarget' {
	return outcome === 'success' ? 'SuccessCriteriaMet' : 'FailureTarget';
}

/**
 * The status with the terminal condition; undefined while Pods remain that are not counted or still terminate.
 */
function finish(
	{ job, now }: JobView,
	{ end, terminating }: Progress,
	tracking: Tracking,
): JobStatus | undefined {
	const { settled, truncated } = tracking;
	const { succeeded = [], failed = [] } = settled.uncountedTerminatedPods ?? {};
	if (!end || truncated || terminating > 0 || succeeded.length + failed.length > 0) return undefined;
	const type = end.outcome === 'success' ? 'Complete' : 'Failed';
	const conditions = withJobCondition(settled.conditions, { type, status: 'True', ...end }, now);
	const time = formatTime(now);
	// The API requires startTime on a finished Job, except on a suspended one with completions 0. Suspension has
	// removed the Job's own startTime, so it gets the time of its end.
	const startTime = settled.startTime ?? (job.spec.suspend && job.spec.completions === 0 ? undefined : time);
	return changeStatus(settled, {
		conditions,
		startTime,
		...(type === 'Complete' && { completionTime: time }),
	});
}

function finishOf({ outcome, reason }: EndState): Finish {
	return { result: outcome === 'success' ? 'succeeded' : 'failed', reason };
}

function endEvents(
	{ spec }: Job,
	status: JobStatus,
	{ outcome, reason, message }: EndState,
): readonly EventText[] {
	if (outcome === 'failure') return [{ type: 'Warning', reason, message }];
	const completed: EventText = { type: 'Normal', reason: 'Completed', message: 'Job completed' };
	if (spec.completions === undefined || (status.succeeded ?? 0) <= spec.completions) return [completed];
	const tooMany = 'Too many succeeded pods running after completion count reached';
	return [{ type: 'Warning', reason: 'TooManySucceededPods', message: tooMany }, completed];
}

function earliest(...delaysMs: readonly (number | undefined)[]): number | undefined {
	const known = delaysMs.filter((delayMs) => delayMs !== undefined);
	return known.length === 0 ? undefined : Math.max(0, Math.min(...known));
}
