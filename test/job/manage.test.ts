import assert from 'node:assert/strict';
import test from 'node:test';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import type { JobSnapshot } from '../../src/plan/job/snapshot.ts';
import { acts, at, condition, conditionsOf, makeIndexed, makeJob, makePod, plan } from './job-objects.ts';

/** Sections 2.4-8 and 2.5, suspension and elastic Jobs: which Pods are claimed, removed and created. */

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
		'a new Job gets its Pods',
		makeJob({ parallelism: 3, completions: 5 }),
		[],
		{ create: ['pi-', 'pi-', 'pi-'] },
	],
	[
		'no more Pods than are left to succeed',
		makeJob({ parallelism: 3, completions: 5 }, { ...START, succeeded: 3 }),
		[makePod('a')],
		{ create: ['pi-'] },
	],
	[
		'a finished Pod is replaced in the same plan that notes it',
		makeJob({ parallelism: 2, completions: 5 }, START),
		[succeeded('a'), makePod('b')],
		{ create: ['pi-'], take: ['a'] },
	],
	[
		'less parallelism removes the least advanced',
		makeJob({ parallelism: 1, completions: 5 }, START),
		[makePod('a', { ready: true }), makePod('b', { phase: 'Pending' }), makePod('c')],
		{ remove: ['b', 'c'] },
	],
	[
		'parallelism 0 removes all',
		makeJob({ parallelism: 0, completions: 5 }, START),
		[makePod('a')],
		{ remove: ['a'] },
	],
	[
		'a Pod whose removal was interrupted is removed, and replaced only then',
		makeJob({ parallelism: 2, completions: 2 }, START),
		[makePod('a', { untracked: true })],
		{ remove: ['a'] },
	],
	[
		'a deleted Pod is replaced at once (TerminatingOrFailed), after the backoff that it counts for',
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
		'an ignored failure delays all the same',
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
		'a suspended Job loses its active Pods',
		makeJob({ suspend: true, parallelism: 2, completions: 3 }, START),
		[makePod('a', { ready: true }), succeeded('b')],
		{ remove: ['a'], status: ['Suspended JobSuspended'], take: ['b'] },
	],
	[
		'a Job that is being deleted makes no Pods and lets go of those it has',
		makeJob({ parallelism: 2, completions: 3 }, START, { deletionTimestamp: at(-1) }),
		[makePod('a'), succeeded('b')],
		{ take: ['a', 'b'] },
	],
	[
		'the lowest indexes that are neither done nor running come first',
		makeIndexed(6, { parallelism: 4 }, { ...START, completedIndexes: '1', succeeded: 1 }),
		[makePod('a', { index: 2 })],
		{ create: ['pi-0-', 'pi-3-', 'pi-4-'] },
	],
	[
		'an index that is terminating is awaited under Failed',
		makeIndexed(3, { podReplacementPolicy: 'Failed' }, START),
		[makePod('a', { index: 0, deleting: true })],
		{ create: ['pi-1-', 'pi-2-'] },
	],
	[
		'Pods without a valid index, beyond the completions or doubled are removed',
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
		'an elastic Job scaled down keeps what is within, and forgets what is not',
		makeIndexed(2, {}, { ...START, completedIndexes: '0,3-5', succeeded: 4 }),
		[makePod('a', { index: 1 }), makePod('b', { index: 2 })],
		{ remove: ['b'] },
	],
	[
		'an elastic Job scaled to nothing is complete',
		makeIndexed(0, {}, { ...START, completedIndexes: '0', succeeded: 1 }),
		[],
		{ status: ['SuccessCriteriaMet CompletionsReached'], settled: ['Complete CompletionsReached'] },
	],
	[
		'with a limit per index the failed Pod stays until its replacement is there',
		makeIndexed(2, { backoffLimitPerIndex: 3 }, START),
		[failed('a', { index: 0, failures: 0, ...OLD }), makePod('b', { index: 1 })],
		{ create: ['pi-0-'] },
	],
	[
		'once the replacement is there the failed Pod may go',
		makeIndexed(2, { backoffLimitPerIndex: 3 }, START),
		[
			failed('a', { index: 0, failures: 0 }),
			makePod('c', { index: 0, failures: 1 }),
			makePod('b', { index: 1 }),
		],
		{ take: ['a'] },
	],
	[
		'with a limit per index each index has its own delay',
		makeIndexed(3, { backoffLimitPerIndex: 3 }, START),
		[failed('a', { index: 0, failures: 1, finished: -5 }), failed('b', { index: 1, failures: 0, ...OLD })],
		{ create: ['pi-1-', 'pi-2-'], lookAgainMs: 15_000 },
	],
	[
		'an index that has failed is not tried again',
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

test('at most 500 Pods are created or removed by one plan, and it goes on at once', () => {
	const many = plan(makeJob({ parallelism: 1200, completions: 2000 }));
	assert.equal(many.create.length, 500);
	assert.equal(many.lookAgainMs, 0);
	const pods = Array.from({ length: 600 }, (_, index) => makePod(`p${index}`));
	const fewer = plan(makeJob({ parallelism: 1, completions: 2000 }, START), pods);
	assert.equal(fewer.remove.length, 500);
	assert.equal(fewer.lookAgainMs, 0);
});

test('when every index waits, the plan does not ask to be made again at once', () => {
	const pods = Array.from({ length: 600 }, (_, index) => failed(`p${index}`, { index, failures: 0 }));
	const waiting = plan(makeIndexed(600, { backoffLimitPerIndex: 3, backoffLimit: 600 }, START), pods);
	assert.deepEqual(acts(waiting), { lookAgainMs: 10_000 });
});

test('ownerless Pods that match are adopted, own Pods that do not match are released', () => {
	const orphan = makePod('orphan', { ownerless: true, untracked: true });
	const stranger = makePod('stranger', { ownerless: true, labels: { app: 'x' } });
	const leaving = makePod('leaving', { ownerless: true, deleting: true });
	const lost = makePod('lost', { labels: { app: 'x' } });
	const orphans = [orphan, stranger, leaving];
	const seen: Partial<JobSnapshot> = { orphans };
	const claimed = plan(makeJob({ parallelism: 2, completions: 2 }, START), [lost], seen);
	assert.deepEqual(acts(claimed), { adopt: ['orphan'], release: ['lost'], create: ['pi-'] });
	assert.equal(claimed.status?.active, 2);
	const deleting = plan(makeJob({}, START, { deletionTimestamp: at(-1) }), [lost], seen);
	assert.deepEqual(acts(deleting), { take: ['lost'] }, 'nobody else would let it go');
});

test('suspension and resumption are told, and move the start', () => {
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

test('a Job created suspended has no start', () => {
	const { status } = plan(makeJob({ suspend: true }));
	assert.deepEqual(status, {
		conditions: [{ ...condition('Suspended', 'JobSuspended', 'Job suspended') }],
		terminating: 0,
		uncountedTerminatedPods: {},
		ready: 0,
	});
});
