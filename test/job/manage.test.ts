import assert from 'node:assert/strict';
import test from 'node:test';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { JobSnapshot } from '../../src/plan/job/snapshot.ts';
import { acts, at, condition, conditionsOf, makeIndexed, makeJob, makePod, plan } from './job-objects.ts';

/** Which Pods the plan adopts, releases, removes and creates; suspension and elastic Indexed Jobs. */

const START = { startTime: at(-100) };
const failed = (name: string, traits = {}) => makePod(name, { phase: 'Failed', ...traits });
const succeeded = (name: string, traits = {}) => makePod(name, { phase: 'Succeeded', ...traits });
const OLD = { finished: -3600 };

type Row = readonly [
	name: string,
	job: Job,
	pods: readonly Pod[],
	expected: Readonly<Record<string, unknown>>,
];
const ROWS: readonly Row[] = [
	[
		'a new Job gets as many Pods as its parallelism',
		makeJob({ parallelism: 3, completions: 5 }),
		[],
		{ create: ['pi-', 'pi-', 'pi-'] },
	],
	[
		'a Job gets no more Pods than its remaining completions',
		makeJob({ parallelism: 3, completions: 5 }, { ...START, succeeded: 3 }),
		[makePod('a')],
		{ create: ['pi-'] },
	],
	[
		'a finished Pod is replaced by the plan that records it',
		makeJob({ parallelism: 2, completions: 5 }, START),
		[succeeded('a'), makePod('b')],
		{ create: ['pi-'], take: ['a'] },
	],
	[
		'a lower parallelism removes the least advanced Pods',
		makeJob({ parallelism: 1, completions: 5 }, START),
		[makePod('a', { ready: true }), makePod('b', { phase: 'Pending' }), makePod('c')],
		{ remove: ['b', 'c'] },
	],
	[
		'parallelism 0 removes all Pods',
		makeJob({ parallelism: 0, completions: 5 }, START),
		[makePod('a')],
		{ remove: ['a'] },
	],
	[
		'a Pod whose removal was interrupted is removed before it is replaced',
		makeJob({ parallelism: 2, completions: 2 }, START),
		[makePod('a', { untracked: true })],
		{ remove: ['a'] },
	],
	[
		'a deleted Pod is replaced while it terminates (TerminatingOrFailed), after its backoff',
		makeJob({}, START),
		[makePod('a', { deleting: true, finished: -60 })],
		{ create: ['pi-'], take: ['a'] },
	],
	[
		'a deleted Pod is replaced only when it has ended (Failed)',
		makeJob({ podReplacementPolicy: 'Failed' }, START),
		[makePod('a', { deleting: true })],
		{},
	],
	[
		'a failed Pod is replaced after ten seconds',
		makeJob({}, START),
		[failed('a', { finished: -4 })],
		{ take: ['a'], lookAgainMs: 6000 },
	],
	[
		'two Pods that failed together double the delay',
		makeJob({ parallelism: 2, completions: 2 }, START),
		[failed('a'), failed('b')],
		{ take: ['a', 'b'], lookAgainMs: 20_000 },
	],
	[
		'a success after the failure ends the delay',
		makeJob({ parallelism: 2, completions: 2 }, START),
		[failed('a', { finished: -4 }), succeeded('b', { finished: -4 })],
		{ create: ['pi-'], take: ['a', 'b'] },
	],
	[
		'an ignored failure delays the replacement too',
		makeJob(
			{
				backoffLimit: 0,
				podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } }] },
			},
			START,
		),
		[failed('a')],
		{ take: ['a'], lookAgainMs: 10_000 },
	],
	[
		'a suspended Job has its active Pods removed',
		makeJob({ suspend: true, parallelism: 2, completions: 3 }, START),
		[makePod('a', { ready: true }), succeeded('b')],
		{ remove: ['a'], status: ['Suspended JobSuspended'], take: ['b'] },
	],
	[
		'a Job that is being deleted creates no Pods and releases its own',
		makeJob({ parallelism: 2, completions: 3 }, START, { deletionTimestamp: at(-1) }),
		[makePod('a'), succeeded('b')],
		{ take: ['a', 'b'] },
	],
	[
		'the lowest indexes that are neither complete nor running get Pods first',
		makeIndexed(6, { parallelism: 4 }, { ...START, completedIndexes: '1', succeeded: 1 }),
		[makePod('a', { index: 2 })],
		{ create: ['pi-0-', 'pi-3-', 'pi-4-'] },
	],
	[
		'under podReplacementPolicy Failed an index with a terminating Pod gets no other',
		makeIndexed(3, { podReplacementPolicy: 'Failed' }, START),
		[makePod('a', { index: 0, deleting: true })],
		{ create: ['pi-1-', 'pi-2-'] },
	],
	[
		'Pods without a valid index, with one beyond completions or with a duplicate one are removed',
		makeIndexed(3, {}, START),
		[
			makePod('none'),
			makePod('strange', { index: '1x' }),
			makePod('beyond', { index: 3 }),
			makePod('young', { index: 0, phase: 'Pending' }),
			makePod('grown', { index: 0 }),
		],
		{ remove: ['none', 'strange', 'beyond', 'young'] },
	],
	[
		'an elastic Job that is scaled down drops the indexes beyond its completions',
		makeIndexed(2, {}, { ...START, completedIndexes: '0,3-5', succeeded: 4 }),
		[makePod('a', { index: 1 }), makePod('b', { index: 2 })],
		{ remove: ['b'] },
	],
	[
		'an elastic Job that is scaled to 0 completes',
		makeIndexed(0, {}, { ...START, completedIndexes: '0', succeeded: 1 }),
		[],
		{ status: ['SuccessCriteriaMet CompletionsReached'], settled: ['Complete CompletionsReached'] },
	],
	[
		'with backoffLimitPerIndex a failed Pod is kept until its replacement exists',
		makeIndexed(2, { backoffLimitPerIndex: 3 }, START),
		[failed('a', { index: 0, failures: 0, ...OLD }), makePod('b', { index: 1 })],
		{ create: ['pi-0-'] },
	],
	[
		'with backoffLimitPerIndex a failed Pod is released once its replacement exists',
		makeIndexed(2, { backoffLimitPerIndex: 3 }, START),
		[
			failed('a', { index: 0, failures: 0 }),
			makePod('c', { index: 0, failures: 1 }),
			makePod('b', { index: 1 }),
		],
		{ take: ['a'] },
	],
	[
		'with backoffLimitPerIndex each index has its own backoff',
		makeIndexed(3, { backoffLimitPerIndex: 3 }, START),
		[failed('a', { index: 0, failures: 1, finished: -5 }), failed('b', { index: 1, failures: 0, ...OLD })],
		{ create: ['pi-1-', 'pi-2-'], lookAgainMs: 15_000 },
	],
	[
		'a failed index gets no other Pod',
		makeIndexed(2, { backoffLimitPerIndex: 1, parallelism: 2 }, { ...START, failedIndexes: '0' }),
		[],
		{ create: ['pi-1-'] },
	],
];

for (const [name, job, pods, expected] of ROWS) {
	test(name, () => {
		assert.deepEqual(acts(plan(job, pods)), expected);
	});
}

test('one plan creates or removes at most 500 Pods, and requests the next reconcile at once', () => {
	const many = plan(makeJob({ parallelism: 1200, completions: 2000 }));
	assert.equal(many.create.length, 500);
	assert.equal(many.lookAgainMs, 0);
	const pods = Array.from({ length: 600 }, (_, index) => makePod(`p${index}`));
	const fewer = plan(makeJob({ parallelism: 1, completions: 2000 }, START), pods);
	assert.equal(fewer.remove.length, 500);
	assert.equal(fewer.lookAgainMs, 0);
});

test('a plan in which every index is in backoff requests no reconcile at once', () => {
	const pods = Array.from({ length: 600 }, (_, index) => failed(`p${index}`, { index, failures: 0 }));
	const waiting = plan(makeIndexed(600, { backoffLimitPerIndex: 3, backoffLimit: 600 }, START), pods);
	assert.deepEqual(acts(waiting), { lookAgainMs: 10_000 });
});

test('the plan adopts orphans that match the selector, and releases own Pods that do not', () => {
	const orphan = makePod('orphan', { ownerless: true, untracked: true });
	const stranger = makePod('stranger', { ownerless: true, labels: { app: 'x' } });
	const leaving = makePod('leaving', { ownerless: true, deleting: true });
	const lost = makePod('lost', { labels: { app: 'x' } });
	const orphans = [orphan, stranger, leaving];
	const snapshot: Partial<JobSnapshot> = { orphans };
	const claimed = plan(makeJob({ parallelism: 2, completions: 2 }, START), [lost], snapshot);
	assert.deepEqual(acts(claimed), { adopt: ['orphan'], release: ['lost'], create: ['pi-'] });
	assert.equal(claimed.status?.active, 2);
	const deleting = plan(makeJob({}, START, { deletionTimestamp: at(-1) }), [lost], snapshot);
	assert.deepEqual(acts(deleting), { take: ['lost'] }, 'no other controller would release it');
});

test('suspension and resumption have conditions and events, and reset startTime', () => {
	const suspended = plan(makeJob({ suspend: true }, { ...START, active: 1 }), [makePod('a')]);
	assert.equal(suspended.status?.startTime, undefined);
	assert.equal(suspended.status?.terminating, 1);
	assert.deepEqual(suspended.events, [{ type: 'Normal', reason: 'Suspended', message: 'Job suspended' }]);
	const still = plan(makeJob({ suspend: true }, { ...suspended.status, terminating: 0 }));
	assert.equal(still.status, undefined);
	assert.deepEqual(still.events, []);
	const resumed = plan(makeJob({}, suspended.status));
	assert.equal(resumed.status?.startTime, at(0));
	assert.deepEqual(conditionsOf(resumed.status), ['!Suspended JobResumed']);
	assert.deepEqual(resumed.events, [{ type: 'Normal', reason: 'Resumed', message: 'Job resumed' }]);
	assert.deepEqual(conditionsOf(plan(makeJob()).status), []);
});

test('a Job that is created suspended has no startTime', () => {
	const { status } = plan(makeJob({ suspend: true }));
	assert.deepEqual(status, {
		conditions: [{ ...condition('Suspended', 'JobSuspended', 'Job suspended') }],
		terminating: 0,
		uncountedTerminatedPods: {},
		ready: 0,
	});
});
