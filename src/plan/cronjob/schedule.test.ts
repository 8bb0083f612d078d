import assert from 'node:assert/strict';
import test from 'node:test';
import { dueTimes, scheduleOf, untilNextMs } from './schedule.ts';
import { aCronJob } from './testing/cronjob-world.ts';

const MINUTE = 60_000;

interface Row {
	readonly schedule: string;
	readonly created: string;
	readonly last?: string;
	readonly deadline?: number;
	readonly now: string;
	readonly due: string | 'none' | 'never' | 'unclear';
	readonly tooMany?: true;
	readonly next?: string;
}

// The cases of upstream's mostRecentScheduleTime.
const ROWS: readonly Row[] = [
	// No time is due since the creation, or since lastScheduleTime.
	{ schedule: '0 * * * *', created: '08:10', now: '08:59:59', due: 'none', next: '09:00' },
	{ schedule: '0 * * * *', created: '07:10', last: '08:00', now: '08:30', due: 'none', next: '09:00' },
	// One time is due: exactly now, and in the past.
	{ schedule: '0 * * * *', created: '08:10', now: '09:00', due: '09:00', next: '10:00' },
	{ schedule: '0 * * * *', created: '08:10', now: '09:59:59', due: '09:00', next: '10:00' },
	// Several times are due: the latest one is used.
	{ schedule: '0 * * * *', created: '08:10', now: '12:30', due: '12:00', next: '13:00' },
	{ schedule: '0 * * * *', created: '08:10', last: '10:00', now: '12:30', due: '12:00', next: '13:00' },
	// Upstream warns about more than 100 missed times.
	{ schedule: '* * * * *', created: '08:00', now: '09:40', due: '09:40', next: '09:41' },
	{ schedule: '* * * * *', created: '08:00', now: '09:41', due: '09:41', tooMany: true, next: '09:42' },
	// A deadline excludes older times, but does not affect the next scheduled time.
	{ schedule: '0 * * * *', created: '08:10', deadline: 600, now: '12:05', due: '12:00', next: '13:00' },
	{ schedule: '0 * * * *', created: '08:10', deadline: 600, now: '12:30', due: 'none', next: '13:00' },
	{ schedule: '* * * * *', created: '08:00', deadline: 3600, now: '09:41', due: '09:41', next: '09:42' },
	// Scheduled times at uneven intervals.
	{ schedule: '30 6-16/4 * * *', created: '06:00', now: '15:00', due: '14:30', next: '30T06:30' },
	{ schedule: '0,1 * * * *', created: '07:59', now: '11:01:30', due: '11:01', tooMany: true, next: '12:00' },
	// Upstream's estimate starts too late here, so the missed time is not found.
	{ schedule: '0,1 * * * *', created: '07:59', now: '11:30', due: 'unclear', next: '12:00' },
	// @every counts from lastScheduleTime, not from the full hour.
	{ schedule: '@every 1h', created: '08:10', now: '12:30', due: '12:10', next: '13:10' },
	{ schedule: '@every 90m', created: '08:00', last: '08:07', now: '14:00', due: '12:37', next: '14:07' },
	// February 31 does not exist.
	{ schedule: '59 23 31 2 *', created: '08:00', now: '08:00', due: 'never' },
];

/** `08:10` is of January 29, 2026; `30T06:30` of another day of that month. */
function instant(text: string): number {
	const [day, time] = text.includes('T') ? text.split('T') : ['29', text];
	return Date.parse(`2026-01-${day}T${time?.length === 5 ? `${time}:00` : time}Z`);
}

function textOf(ms: number): string {
	return new Date(ms).toISOString();
}

test('the latest due time and the next scheduled time follow from the schedule', () => {
	for (const row of ROWS) {
		const cronJob = aCronJob({
			schedule: row.schedule,
			createdMs: instant(row.created),
			...(row.last !== undefined && { lastMs: instant(row.last) }),
			...(row.deadline !== undefined && { spec: { startingDeadlineSeconds: row.deadline } }),
		});
		const parsed = scheduleOf(cronJob.spec);
		assert.ok(parsed.ok);
		const now = instant(row.now);
		const due = dueTimes(cronJob, parsed.schedule, { now, withinDeadline: true });
		const name = JSON.stringify(row);
		assert.equal(due.kind === 'due' ? textOf(due.dueMs) : due.kind, expected(row.due), name);
		assert.equal(due.kind === 'due' && due.tooMany, row.tooMany ?? false, name);
		const untilMs = untilNextMs(cronJob, parsed.schedule, now);
		assert.equal(untilMs && textOf(now + untilMs), row.next && textOf(instant(row.next)), name);
	}
});

function expected(due: string): string {
	return /^\d/.test(due) ? textOf(instant(due)) : due;
}

test('the schedule is evaluated in its time zone, or in the zone of the server if it has none', () => {
	const created = Date.UTC(2026, 0, 29, 8);
	const next = (timeZone?: string, schedule = '0 12 * * *'): string => {
		const cronJob = aCronJob({
			schedule,
			createdMs: created,
			spec: timeZone === undefined ? {} : { timeZone },
		});
		const parsed = scheduleOf(cronJob.spec);
		assert.ok(parsed.ok);
		return textOf(created + (untilNextMs(cronJob, parsed.schedule, created) ?? 0));
	};
	assert.equal(next(), '2026-01-29T12:00:00.000Z');
	assert.equal(next('America/New_York'), '2026-01-29T17:00:00.000Z');
	assert.equal(next('Nowhere'), '2026-01-29T12:00:00.000Z');
	assert.equal(next(undefined, 'TZ=Asia/Tokyo 0 18 * * *'), '2026-01-29T09:00:00.000Z');
});

test('a reconcile that runs too early waits until the scheduled time', () => {
	const created = Date.UTC(2026, 0, 29, 8);
	const cronJob = aCronJob({ schedule: '* * * * *', createdMs: created });
	const parsed = scheduleOf(cronJob.spec);
	assert.ok(parsed.ok);
	assert.equal(untilNextMs(cronJob, parsed.schedule, created + MINUTE - 1), 1);
});
