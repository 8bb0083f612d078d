/**
 * Plans the next writes for a CronJob. This folder holds all semantics of CronJobs; the controller only
 * observes and applies. {@link planCronJob} is pure: the same snapshot gives the same plan. Specification: upstream's
 * syncCronJob and cleanupFinishedJobs (pkg/controller/cronjob/cronjob_controllerv2.go).
 *
 * Read in this order: snapshot.ts (input), plan.ts (output and the order of writes), schedule.ts (scheduled
 * times), job-of.ts (the Job for a time), status.ts, history.ts (which finished Jobs to delete).
 *
 * Invariants, which the property tests check:
 * 1. At most one Job is created for each scheduled time. After an outage only the latest missed time gets a
 *    Job.
 * 2. With concurrencyPolicy Forbid no Job is created while one is active; with Replace the active ones are
 *    deleted first.
 * 3. lastScheduleTime never decreases.
 *
 * One rule goes beyond upstream. A Job of this CronJob with a scheduled time later than lastScheduleTime shows
 * that a reconcile was interrupted between creating the Job and writing the status. The plan writes that status
 * first, before any finished Job is deleted. Upstream detects this only when it creates the Job again and the
 * name exists. That is too late if the history limit has deleted the Job (it is created twice) or if the next
 * time is due (Forbid does not see the running Job).
 */

import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { timeZoneProblem } from '../../api/batch/cronjob/time-zone.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';
import { quote } from '../../base/quote.ts';
import { isFinished } from '../job/conditions.ts';
import { beyondHistory } from './history.ts';
import { dueTimeOf, jobNameOf, jobOf } from './job-of.ts';
import type { CronJobPlan, JobStart } from './plan.ts';
import { dueTimes, type Schedule, scheduleOf, untilNextMs } from './schedule.ts';
import type { CronJobSnapshot } from './snapshot.ts';
import { isActive, withActive, withoutActive } from './status.ts';

/** Plans the next writes for a CronJob; see the header of this file. */
export function planCronJob(seen: CronJobSnapshot): CronJobPlan {
	const { cronJob, children, now } = seen;
	const interrupted = finishInterrupted(seen);
	if (interrupted) return interrupted;
	// A CronJob under deletion may orphan its Jobs, so none is deleted. Upstream deletes them even then.
	const cleanUp = cronJob.metadata.deletionTimestamp ? [] : beyondHistory(cronJob, children);
	const cleaned = new Set(cleanUp.map(({ job }) => job.metadata.uid));
	const synced = syncStatus({ ...cronJob, status: withoutActive(cronJob.status, cleaned) }, seen);
	const decision = decideStart({ ...cronJob, status: synced.status }, now);
	return {
		because: decision.because,
		events: [...synced.events, ...(decision.events ?? [])],
		cleanUp,
		status: synced.status,
		...(decision.start && { start: decision.start }),
		...(decision.lookAgainMs !== undefined && { lookAgainMs: decision.lookAgainMs }),
	};
}

/**
 * The plan that writes the status an interrupted reconcile did not write; undefined if none was interrupted.
 */
function finishInterrupted({ cronJob, children }: CronJobSnapshot): CronJobPlan | undefined {
	const last = timeOf(cronJob.status.lastScheduleTime) ?? Number.NEGATIVE_INFINITY;
	let { status } = cronJob;
	let latest = last;
	for (const job of children) {
		const due = dueTimeOf(cronJob, job);
		if (due === undefined || due <= last) continue;
		latest = Math.max(latest, due);
		if (!isActive(status, job.metadata.uid) && !isFinished(job)) status = withActive(status, job);
	}
	if (latest === last) return undefined;
	return {
		because: 'a Job was created that the status does not contain yet',
		events: [],
		cleanUp: [],
		status: { ...status, lastScheduleTime: formatTime(latest) },
		lookAgainMs: 0,
	};
}

interface SyncedStatus {
	readonly status: CronJob['status'];
	readonly events: readonly EventText[];
}

/**
 * Updates `active` and `lastSuccessfulTime` from the existing Jobs, with upstream's Events for each difference.
 */
function syncStatus(cronJob: CronJob, { children, missing }: CronJobSnapshot): SyncedStatus {
	const { status } = cronJob;
	const events: EventText[] = [];
	const gone = new Set<string | undefined>(missing);
	for (const job of children) {
		const { name = '', uid } = job.metadata;
		const active = isActive(status, uid);
		const finished = isFinished(job);
		if (!finished && !active) {
			const message = `Saw a job that the controller did not create or forgot: ${name}`;
			events.push({ type: 'Warning', reason: 'UnexpectedJob', message });
		}
		if (finished && active) {
			gone.add(uid);
			const condition = isConditionTrue(job.status.conditions, 'Complete') ? 'Complete' : 'Failed';
			const message = `Saw completed job: ${name}, condition: ${condition}`;
			events.push({ type: 'Normal', reason: 'SawCompletedJob', message });
		}
	}
	for (const { name = '', uid = '' } of status.active ?? []) {
		if (!missing.has(uid)) continue;
		events.push({ type: 'Normal', reason: 'MissingJob', message: `Active job went missing: ${name}` });
	}
	return { status: withSuccess(withoutActive(status, gone), children), events };
}

/** The status with the latest completion time of its Jobs; lastSuccessfulTime never decreases. */
function withSuccess(status: CronJob['status'], children: readonly Job[]): CronJob['status'] {
	const known = timeOf(status.lastSuccessfulTime) ?? Number.NEGATIVE_INFINITY;
	let latest = known;
	for (const { status: of } of children) {
		if (isConditionTrue(of.conditions, 'Complete'))
			latest = Math.max(latest, timeOf(of.completionTime) ?? latest);
	}
	return latest === known ? status : { ...status, lastSuccessfulTime: formatTime(latest) };
}

interface Decision {
	readonly because: string;
	readonly events?: readonly EventText[];
	readonly start?: JobStart;
	readonly lookAgainMs?: number;
}

/** Decides whether to create a Job; the first matching rule decides. */
function decideStart(cronJob: CronJob, now: number): Decision {
	const { metadata, spec } = cronJob;
	if (metadata.deletionTimestamp) return { because: 'it is being deleted' };
	const { timeZone } = spec;
	const problem = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
	if (timeZone !== undefined && problem !== undefined) {
		const message = `invalid timeZone: ${quote(timeZone)}: ${problem}`;
		return refusal('its time zone does not exist', { reason: 'UnknownTimeZone', message });
	}
	if (spec.suspend) return { because: 'it is suspended' };
	const unsupported = unsupportedZone(cronJob);
	const parsed = scheduleOf(spec);
	if (!parsed.ok) {
		const message = `unparseable schedule: ${quote(spec.schedule)} : ${parsed.error}`;
		const refused = refusal('its schedule cannot be parsed', { reason: 'UnparseableSchedule', message });
		return withEvents(unsupported, refused);
	}
	return withEvents(unsupported, decideDue(cronJob, parsed.schedule, now));
}

function decideDue(cronJob: CronJob, schedule: Schedule, now: number): Decision {
	const due = dueTimes(cronJob, schedule, { now, withinDeadline: true });
	if (due.kind === 'never') {
		const message = `invalid schedule: ${cronJob.spec.schedule} : ${due.error}`;
		return refusal('its schedule matches no time', { reason: 'InvalidSchedule', message });
	}
	const lookAgainMs = untilNextMs(cronJob, schedule, now);
	const next = lookAgainMs === undefined ? {} : { lookAgainMs };
	if (due.kind !== 'due') return { because: 'no scheduled time is due', ...next };
	const many = due.tooMany ? [TOO_MANY_MISSED] : [];
	return withEvents(many, { ...decideStartAt(cronJob, due.dueMs, now), ...next });
}

function decideStartAt(cronJob: CronJob, dueMs: number, now: number): Decision {
	const { spec, status } = cronJob;
	const { startingDeadlineSeconds, concurrencyPolicy } = spec;
	const active = status.active ?? [];
	if (startingDeadlineSeconds !== undefined && dueMs + approximate(startingDeadlineSeconds) * 1000 < now) {
		const message = `Missed scheduled time to start a job: ${rfc1123(dueMs)}`;
		return refusal('startingDeadlineSeconds have passed since the scheduled time', {
			reason: 'MissSchedule',
			message,
		});
	}
	const name = jobNameOf(cronJob, dueMs);
	if (timeOf(status.lastScheduleTime) === dueMs || active.some((reference) => reference.name === name)) {
		return { because: 'the scheduled time has its Job already' };
	}
	if (concurrencyPolicy === 'Forbid' && active.length > 0) {
		return { because: 'a Job is active and the policy is Forbid', events: [ALREADY_ACTIVE] };
	}
	const replace = concurrencyPolicy === 'Replace' ? active : [];
	return {
		because: `it was due at ${formatTime(dueMs)}`,
		start: { replace, create: jobOf(cronJob, dueMs), dueMs },
	};
}

const TOO_MANY_MISSED: EventText = {
	type: 'Warning',
	reason: 'TooManyMissedTimes',
	message: 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
};

const ALREADY_ACTIVE: EventText = {
	type: 'Normal',
	reason: 'JobAlreadyActive',
	message: 'Not starting job because prior execution is running and concurrency policy is Forbid',
};

/** The Event about a TZ or CRON_TZ in the schedule; the API accepts that only in objects that had it before. */
export function unsupportedZone({ spec }: CronJob): readonly EventText[] {
	if (!spec.schedule.includes('TZ')) return [];
	const message = `CRON_TZ or TZ used in schedule ${quote(spec.schedule)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`;
	return [{ type: 'Warning', reason: 'UnsupportedSchedule', message }];
}

function refusal(because: string, event: Omit<EventText, 'type'>): Decision {
	return { because, events: [{ type: 'Warning', ...event }] };
}

function withEvents(before: readonly EventText[], decision: Decision): Decision {
	return before.length === 0 ? decision : { ...decision, events: [...before, ...(decision.events ?? [])] };
}

/** `Sat, 31 Jan 2026 08:00:00 +0000`. */
function rfc1123(ms: number): string {
	return new Date(ms).toUTCString().replace('GMT', '+0000');
}
