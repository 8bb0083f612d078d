/**
 * Computes the scheduled times of a CronJob. Follows upstream's mostRecentScheduleTime and
 * nextScheduleTimeDuration (pkg/controller/cronjob/utils.go).
 */

import {
	type CronExpression,
	nextTime,
	type ParsedCron,
	parseCron,
} from '../../api/batch/cronjob/cron-expression.ts';
import type { CronJob, CronJobSpec } from '../../api/batch/cronjob/schema.ts';
import { timeZoneProblem, zoneNamed } from '../../api/batch/cronjob/time-zone.ts';
import { timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json/json.ts';

/** The parsed schedule of a CronJob. */
export interface Schedule {
	readonly expression: CronExpression;
	/** The time zone in which the expression is evaluated, unless its text names one. */
	readonly zone: string;
}

/**
 * The parsed schedule, or the parser's error. If `timeZone` is unknown, the schedule uses the server's zone:
 * the caller must check it with timeZoneProblem.
 */
export function scheduleOf({ schedule, timeZone }: CronJobSpec):
	| { readonly ok: true; readonly schedule: Schedule }
	| {
			readonly ok: false;
			readonly error: string;
	  } {
	const parsed = parse(schedule);
	if (!parsed.ok) return parsed;
	const known = timeZone !== undefined && timeZoneProblem(timeZone) === undefined;
	return { ok: true, schedule: { expression: parsed.expression, zone: zoneNamed(known ? timeZone : '') } };
}

/** Cache of parsed schedules: there are few different ones, and each reconcile of a CronJob needs its own. */
const parsedTexts = new Map<string, ParsedCron>();
const MOST_PARSED_TEXTS = 1000;

function parse(text: string): ParsedCron {
	const known = parsedTexts.get(text);
	if (known) return known;
	if (parsedTexts.size >= MOST_PARSED_TEXTS) parsedTexts.clear();
	const parsed = parseCron(text);
	parsedTexts.set(text, parsed);
	return parsed;
}

/**
 * The first scheduled time after `afterMs` (ms since the epoch); undefined if there is none within five years.
 */
export function nextDue({ expression, zone }: Schedule, afterMs: number): number | undefined {
	return nextTime(expression, afterMs, zone);
}

/** The times that have become due since lastScheduleTime, or since the creation of the CronJob. */
export type DueTimes =
	/** No time is due. `earliestMs`: the time from which it was searched, in ms since the epoch. */
	| { readonly kind: 'none'; readonly earliestMs: number }
	/** `dueMs`: the latest due time. `tooMany`: more than 100 times are due. */
	| { readonly kind: 'due'; readonly dueMs: number; readonly tooMany: boolean }
	/** Times are due, but the estimate of the latest one missed it. Upstream then starts no Job either. */
	| { readonly kind: 'unclear' }
	/** The schedule matches no time. */
	| { readonly kind: 'never'; readonly error: string };

/** Number of missed times above which upstream records a Warning. */
const MANY_MISSED = 100;

/**
 * The times due at `now`. With `withinDeadline`, times that startingDeadlineSeconds excludes are ignored.
 *
 * If many times are due, only the latest is computed: the distance of the first two gives an estimate of their
 * number, and the search starts at the last but one of them. A search backwards from `now` would be simpler,
 * but would lose the phase of `@every`, which counts from the previous time.
 */
export function dueTimes(
	cronJob: CronJob,
	schedule: Schedule,
	{ now, withinDeadline }: { readonly now: number; readonly withinDeadline: boolean },
): DueTimes {
	const earliestMs = earliest(cronJob, withinDeadline ? now : undefined);
	const first = nextDue(schedule, earliestMs);
	if (first === undefined) return NEVER;
	if (now < first) return { kind: 'none', earliestMs };
	const second = nextDue(schedule, first);
	if (second === undefined) return NEVER;
	if (now < second) return { kind: 'due', dueMs: first, tooMany: false };
	const distanceMs = second - first;
	const missed = Math.floor((now - first) / distanceMs) + 1;
	const dueMs = latest(schedule, first + (missed - 2) * distanceMs, now);
	return dueMs === undefined ? { kind: 'unclear' } : { kind: 'due', dueMs, tooMany: missed > MANY_MISSED };
}

const NEVER: DueTimes = {
	kind: 'never',
	error: 'time difference between two schedules is less than 1 second',
};

function earliest({ metadata, spec, status }: CronJob, deadlineFrom: number | undefined): number {
	const since = timeOf(status.lastScheduleTime) ?? timeOf(metadata.creationTimestamp) ?? 0;
	const { startingDeadlineSeconds } = spec;
	if (deadlineFrom === undefined || startingDeadlineSeconds === undefined) return since;
	return Math.max(since, deadlineFrom - approximate(startingDeadlineSeconds) * 1000);
}

function latest(schedule: Schedule, fromMs: number, now: number): number | undefined {
	let found: number | undefined;
	for (let time = nextDue(schedule, fromMs); time !== undefined && time <= now; ) {
		found = time;
		time = nextDue(schedule, time);
	}
	return found;
}

/**
 * Milliseconds until the next scheduled time, at which the CronJob must be reconciled; undefined if there is
 * none. Upstream adds 100 ms to tolerate clock skew. Here a reconcile that runs too early finds no due time and
 * is queued again, so no such margin is needed and Jobs start on time.
 */
export function untilNextMs(cronJob: CronJob, schedule: Schedule, now: number): number | undefined {
	const due = dueTimes(cronJob, schedule, { now, withinDeadline: false });
	const next = nextDue(schedule, due.kind === 'due' ? due.dueMs : due.kind === 'none' ? due.earliestMs : now);
	return next === undefined ? undefined : Math.max(0, next - now);
}
