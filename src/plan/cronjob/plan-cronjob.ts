import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import { timeZoneProblem } from '../../api/batch/cronjob/time-zone.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { formatTime, timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json.ts';
import { quote } from '../../base/quote.ts';
import type { EventText } from '../event-text.ts';
import { isFinished, isTrue } from '../job/conditions.ts';
import { beyondHistory } from './history.ts';
import { dueTimeOf, jobNameOf, jobOf } from './job-of.ts';
import type { CronJobPlan, JobStart } from './plan.ts';
import { dueTimes, type Schedule, scheduleOf, untilNextMs } from './schedule.ts';
import type { CronJobSnapshot } from './snapshot.ts';
import { isActive, withActive, withoutActive } from './status.ts';

/**
 * Decides what is to be done about a CronJob: all that one means is below this function. Pure; the same
 * snapshot gives the same plan. Upstream's syncCronJob and cleanupFinishedJobs are the specification.
 *
 * Numbered invariants, which the property tests hold it to:
 * 1. At most one Job is made for a time; after a standstill only the latest time gets one.
 * 2. With Forbid, none is made while one runs; with Replace, those that run are deleted first.
 * 3. lastScheduleTime never goes back.
 *
 * One rule goes beyond upstream: a Job of our own making whose time is later than lastScheduleTime tells
 * of a pass that was interrupted between its two writes. That pass is finished first, before any history
 * is cleaned up. Upstream finds out by a name that is taken, too late where the Job has been cleaned up
 * (it is then made again) and where the next time has come (Forbid then does not see it).
 */
export function planCronJob(seen: CronJobSnapshot): CronJobPlan {
	const { cronJob, children, now } = seen;
	const interrupted = finishInterrupted(seen);
	if (interrupted) return interrupted;
	// One that is deleted may leave its Jobs to whoever wants them. Upstream cleans up all the same.
	const cleanUp = cronJob.metadata.deletionTimestamp ? [] : beyondHistory(cronJob, children);
	const cleaned = new Set(cleanUp.map(({ job }) => job.metadata.uid));
	const noted = noteJobs({ ...cronJob, status: withoutActive(cronJob.status, cleaned) }, seen);
	const decision = decideStart({ ...cronJob, status: noted.status }, now);
	return {
		because: decision.because,
		events: [...noted.events, ...(decision.events ?? [])],
		cleanUp,
		status: noted.status,
		...(decision.start && { start: decision.start }),
		...(decision.lookAgainMs !== undefined && { lookAgainMs: decision.lookAgainMs }),
	};
}

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
		because: 'a Job was made that the status does not tell of yet',
		events: [],
		cleanUp: [],
		status: { ...status, lastScheduleTime: formatTime(latest) },
		lookAgainMs: 0,
	};
}

interface Noted {
	readonly status: CronJob['status'];
	readonly events: readonly EventText[];
}

/** Compares the status with the Jobs that are there. */
function noteJobs(cronJob: CronJob, { children, missing }: CronJobSnapshot): Noted {
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
			const condition = isTrue(job.status.conditions, 'Complete') ? 'Complete' : 'Failed';
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

function withSuccess(status: CronJob['status'], children: readonly Job[]): CronJob['status'] {
	const known = timeOf(status.lastSuccessfulTime) ?? Number.NEGATIVE_INFINITY;
	let latest = known;
	for (const { status: of } of children) {
		if (isTrue(of.conditions, 'Complete')) latest = Math.max(latest, timeOf(of.completionTime) ?? latest);
	}
	return latest === known ? status : { ...status, lastSuccessfulTime: formatTime(latest) };
}

interface Decision {
	readonly because: string;
	readonly events?: readonly EventText[];
	readonly start?: JobStart;
	readonly lookAgainMs?: number;
}

/** Whether a Job is to be started; the first rule that applies wins. */
function decideStart(cronJob: CronJob, now: number): Decision {
	const { metadata, spec } = cronJob;
	if (metadata.deletionTimestamp) return { because: 'it is being deleted' };
	const { timeZone } = spec;
	const problem = timeZone === undefined ? undefined : timeZoneProblem(timeZone);
	if (timeZone !== undefined && problem !== undefined) {
		const message = `invalid timeZone: ${quote(timeZone)}: ${problem}`;
		return refusal('there is no such time zone', { reason: 'UnknownTimeZone', message });
	}
	if (spec.suspend) return { because: 'it is suspended' };
	const unsupported = unsupportedZone(cronJob);
	const parsed = scheduleOf(spec);
	if (!parsed.ok) {
		const message = `unparseable schedule: ${quote(spec.schedule)} : ${parsed.error}`;
		const refused = refusal('its schedule is not understood', { reason: 'UnparseableSchedule', message });
		return withEvents(unsupported, refused);
	}
	return withEvents(unsupported, decideDue(cronJob, parsed.schedule, now));
}

function decideDue(cronJob: CronJob, schedule: Schedule, now: number): Decision {
	const due = dueTimes(cronJob, schedule, { now, withinDeadline: true });
	if (due.kind === 'never') {
		const message = `invalid schedule: ${cronJob.spec.schedule} : ${due.error}`;
		return refusal('its schedule never comes about', { reason: 'InvalidSchedule', message });
	}
	const lookAgainMs = untilNextMs(cronJob, schedule, now);
	const next = lookAgainMs === undefined ? {} : { lookAgainMs };
	if (due.kind !== 'due') return { because: 'nothing is due', ...next };
	const many = due.tooMany ? [TOO_MANY_MISSED] : [];
	return withEvents(many, { ...decideStartAt(cronJob, due.dueMs, now), ...next });
}

function decideStartAt(cronJob: CronJob, dueMs: number, now: number): Decision {
	const { spec, status } = cronJob;
	const { startingDeadlineSeconds, concurrencyPolicy } = spec;
	const active = status.active ?? [];
	if (startingDeadlineSeconds !== undefined && dueMs + approximate(startingDeadlineSeconds) * 1000 < now) {
		const message = `Missed scheduled time to start a job: ${rfc1123(dueMs)}`;
		return refusal('it is too late for the time that was due', { reason: 'MissSchedule', message });
	}
	const name = jobNameOf(cronJob, dueMs);
	if (timeOf(status.lastScheduleTime) === dueMs || active.some((reference) => reference.name === name)) {
		return { because: 'the time that was due is seen to' };
	}
	if (concurrencyPolicy === 'Forbid' && active.length > 0) {
		return { because: 'a Job runs and the policy is Forbid', events: [ALREADY_ACTIVE] };
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

/** What is announced of a zone within the schedule, which the API takes from old objects only. */
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
