import {
	type CronExpression,
	nextTime,
	type ParsedCron,
	parseCron,
} from '../../api/batch/cronjob/cron-expression.ts';
import type { CronJob, CronJobSpec } from '../../api/batch/cronjob/schema.ts';
import { timeZoneProblem, zoneNamed } from '../../api/batch/cronjob/time-zone.ts';
import { timeOf } from '../../api/meta/time.ts';
import { approximate } from '../../base/json.ts';

/**
 * When the Jobs of a CronJob are due, by the rules of upstream's mostRecentScheduleTime and
 * nextScheduleTimeDuration.
 */

/** The schedule of a CronJob, ready to be asked. */
export interface Schedule {
	readonly expression: CronExpression;
	/** The zone whose clocks it follows, unless its text names one. */
	readonly zone: string;
}

/** The schedule in words that a parser understood, or what is wrong with it. */
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

/** A server has few schedules, and each is asked for at every look at its CronJob. */
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

/** The first time after `afterMs`; undefined where there is none within five years. */
export function nextDue({ expression, zone }: Schedule, afterMs: number): number | undefined {
	return nextTime(expression, afterMs, zone);
}

/** The times that were due since the last one that was seen to. */
export type DueTimes =
	/** None: the last, or the creation, was at `earliestMs`. */
	| { readonly kind: 'none'; readonly earliestMs: number }
	/** The latest of them. `tooMany`: it is one of more than a hundred. */
	| { readonly kind: 'due'; readonly dueMs: number; readonly tooMany: boolean }
	/** Some were due, but not as late as the estimate of their number said. */
	| { readonly kind: 'unclear' }
	/** The schedule never comes about. */
	| { readonly kind: 'never'; readonly error: string };

/** More missed times than these are worth a warning. */
const MANY_MISSED = 100;

/**
 * What was due by `now`. With `withinDeadline`, nothing that startingDeadlineSeconds rules out is looked
 * at. Of many times only the latest is looked for: from the distance of the first two it is estimated
 * how many there were, and stepped on from shortly before the end. That keeps `@every` in its rhythm.
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
 * How long it is until the CronJob has to be looked at again, in milliseconds; undefined if it never will
 * be due. Upstream adds 100 ms against clocks that differ. Here a look that comes early only finds out
 * that nothing is due yet, so Jobs start on time.
 */
export function untilNextMs(cronJob: CronJob, schedule: Schedule, now: number): number | undefined {
	const due = dueTimes(cronJob, schedule, { now, withinDeadline: false });
	const next = nextDue(schedule, due.kind === 'due' ? due.dueMs : due.kind === 'none' ? due.earliestMs : now);
	return next === undefined ? undefined : Math.max(0, next - now);
}
