import assert from 'node:assert/strict';
import test from 'node:test';
import type { CronJob } from '../../api/batch/cronjob/schema.ts';
import type { Job } from '../../api/batch/job/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { SCHEDULED_TIMESTAMP } from './identifiers.ts';
import { jobNameOf, jobOf } from './job-of.ts';
import type { CronJobPlan } from './plan.ts';
import { planCronJob } from './plan-cronjob.ts';
import { aCronJob, aJob } from './testing/cronjob-world.ts';

const MINUTE = 60_000;
const EIGHT = Date.UTC(2026, 0, 31, 8);

interface Seen {
	readonly children?: readonly Job[];
	readonly missing?: readonly string[];
	readonly now?: number;
}

function plan(cronJob: CronJob, { children = [], missing = [], now = EIGHT }: Seen = {}): CronJobPlan {
	return planCronJob({ cronJob, children, missing: new Set(missing), now });
}

function eventsOf({ events }: CronJobPlan): readonly string[] {
	return events.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}

function cleaned({ cleanUp }: CronJobPlan): readonly (string | undefined)[] {
	return cleanUp.map(({ job }) => job.metadata.name);
}

function active({ status }: CronJobPlan): readonly (string | undefined)[] {
	return status.active?.map(({ name }) => name) ?? [];
}

/** Scheduled every minute; lastScheduleTime is eight. */
const UP_TO_DATE = { schedule: '* * * * *', createdMs: EIGHT - 10 * MINUTE, lastMs: EIGHT };

test('Jobs above the history limits are deleted, the earliest started first; those without a start time last', () => {
	const complete = [3, 1, 2].map((minute) =>
		aJob(`c${minute}`, { ended: 'Complete', startMs: EIGHT + minute * MINUTE, endMs: EIGHT }),
	);
	const sameStart = ['b', 'a'].map((name) => aJob(name, { ended: 'Failed', startMs: EIGHT }));
	const children = [...complete, ...sameStart, aJob('f', { ended: 'Failed' }), aJob('running')];
	const kept = (spec: Partial<CronJob['spec']>): readonly (string | undefined)[] =>
		cleaned(plan(aCronJob({ ...UP_TO_DATE, spec }), { children }));
	assert.deepEqual(kept({}), ['a', 'b']);
	assert.deepEqual(kept({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 2 }), ['c1', 'c2', 'a']);
	assert.deepEqual(kept({ successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 9 }), ['c1', 'c2', 'c3']);
	const cronJob = aCronJob(UP_TO_DATE);
	const metadata = { ...cronJob.metadata, deletionTimestamp: formatTime(EIGHT) };
	assert.deepEqual(
		cleaned(plan({ ...cronJob, metadata }, { children })),
		[],
		'a deleted one cleans nothing up',
	);
});

test('the status is updated from the existing Jobs, with an Event for each difference', () => {
	const done = aJob('done', { ended: 'Complete', endMs: EIGHT - 2 * MINUTE });
	const older = aJob('older', { ended: 'Complete', endMs: EIGHT - 3 * MINUTE });
	const failed = aJob('failed', { ended: 'Failed' });
	const running = aJob('running');
	const cronJob = aCronJob({ ...UP_TO_DATE, active: [done, failed, running, aJob('gone')] });
	const children = [done, older, failed, running, aJob('stranger')];
	const made = plan(cronJob, { children, missing: ['gone-uid'] });
	assert.deepEqual(active(made), ['running']);
	assert.equal(made.status.lastSuccessfulTime, '2026-01-31T07:58:00Z');
	assert.deepEqual(eventsOf(made), [
		'Normal SawCompletedJob Saw completed job: done, condition: Complete',
		'Normal SawCompletedJob Saw completed job: failed, condition: Failed',
		'Warning UnexpectedJob Saw a job that the controller did not create or forgot: stranger',
		'Normal MissingJob Active job went missing: gone',
	]);
});

test('a status that matches the Jobs is not changed', () => {
	const running = aJob('running');
	const cronJob = aCronJob({ ...UP_TO_DATE, active: [running] });
	const made = plan(cronJob, { children: [running] });
	assert.equal(made.status, cronJob.status);
	assert.deepEqual([...made.events, ...made.cleanUp], []);
});

test('no Job is created for the first reason that applies', () => {
	const due = { createdMs: EIGHT - 90_000 };
	const other = aJob('other');
	const zoned = 'TZ=UTC * * * * *';
	const unsupported = `Warning UnsupportedSchedule CRON_TZ or TZ used in schedule "${zoned}" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`;
	const rows: readonly (readonly [CronJob, lookAgainMs: number | undefined, ...events: readonly string[]])[] =
		[
			[aCronJob({ ...due, deleting: true }), undefined],
			[
				aCronJob({ ...due, spec: { timeZone: 'Nowhere', suspend: true } }),
				undefined,
				'Warning UnknownTimeZone invalid timeZone: "Nowhere": unknown time zone Nowhere',
			],
			[aCronJob({ ...due, spec: { suspend: true, schedule: 'x' } }), undefined],
			[
				aCronJob({ ...due, schedule: 'x' }),
				undefined,
				'Warning UnparseableSchedule unparseable schedule: "x" : expected exactly 5 fields, found 1: [x]',
			],
			[
				aCronJob({ ...due, schedule: '0 0 31 2 *' }),
				undefined,
				'Warning InvalidSchedule invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second',
			],
			[aCronJob({ createdMs: EIGHT }), MINUTE],
			[aCronJob({ ...due, schedule: zoned, lastMs: EIGHT }), MINUTE, unsupported],
			[aCronJob(UP_TO_DATE), MINUTE],
			[aCronJob({ ...due, active: [aJob(jobNameOf(aCronJob({}), EIGHT))] }), MINUTE],
			[
				aCronJob({ ...due, active: [other], spec: { concurrencyPolicy: 'Forbid' } }),
				MINUTE,
				'Normal JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid',
			],
		];
	for (const [cronJob, lookAgainMs, ...events] of rows) {
		const children = cronJob.status.active ? [other] : [];
		const made = plan(cronJob, { children: cronJob.status.active?.[0]?.name === 'other' ? children : [] });
		assert.equal(made.start, undefined, made.because);
		assert.equal(made.lookAgainMs, lookAgainMs, made.because);
		assert.deepEqual(eventsOf(made), events);
	}
});

test('a Job is created for the latest due time', () => {
	const cronJob = aCronJob({ createdMs: EIGHT - 200 * MINUTE, spec: { timeZone: 'Europe/London' } });
	const made = plan(cronJob, { now: EIGHT + 30_000 });
	assert.equal(made.start?.dueMs, EIGHT);
	assert.equal(made.lookAgainMs, 30_000);
	assert.deepEqual(made.start?.replace, []);
	assert.deepEqual(eventsOf(made), [
		'Warning TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
	]);
	const { metadata, spec } = made.start?.create ?? aJob('');
	assert.equal(metadata.name, `tick-${EIGHT / MINUTE}`);
	assert.deepEqual(metadata.annotations, { [SCHEDULED_TIMESTAMP]: '2026-01-31T08:00:00Z' });
	assert.equal(spec, cronJob.spec.jobTemplate.spec);
});

test('with concurrencyPolicy Replace the active Jobs are replaced', () => {
	const running = aJob('running');
	const cronJob = aCronJob({
		createdMs: EIGHT - MINUTE,
		active: [running],
		spec: { concurrencyPolicy: 'Replace' },
	});
	const made = plan(cronJob, { children: [running] });
	assert.deepEqual(
		made.start?.replace.map(({ name }) => name),
		['running'],
	);
});

test('the status write of an interrupted reconcile is completed before anything else', () => {
	const cronJob = aCronJob({ createdMs: EIGHT - 5 * MINUTE, spec: { successfulJobsHistoryLimit: 0 } });
	const child = (minute: number, ended?: 'Complete'): Job => {
		const { metadata } = jobOf(cronJob, EIGHT + minute * MINUTE);
		return aJob(metadata.name ?? '', {
			...(ended && { ended }),
			...(metadata.annotations && { annotations: metadata.annotations }),
		});
	};
	const running = plan(cronJob, { children: [child(-1)] });
	assert.deepEqual(active(running), [child(-1).metadata.name]);
	assert.equal(running.status.lastScheduleTime, '2026-01-31T07:59:00Z');
	assert.equal(running.start, undefined);
	assert.equal(running.lookAgainMs, 0);
	// The Job ended meanwhile: it must not be deleted before its time is in the status, or it would be created
	// again.
	const ended = plan(cronJob, { children: [child(0, 'Complete')] });
	assert.deepEqual(cleaned(ended), []);
	assert.deepEqual(active(ended), []);
	assert.equal(ended.status.lastScheduleTime, '2026-01-31T08:00:00Z');
	const next = plan({ ...cronJob, status: ended.status }, { children: [child(0, 'Complete')] });
	assert.equal(cleaned(next).length, 1);
	assert.equal(next.start, undefined);
});
