import assert from 'node:assert/strict';
import test from 'node:test';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { acts, at, condition, makeIndexed, makeJob, makePod, plan } from './job-objects.ts';

/** Section 2.4-12 and 2.4-14 of upstream's sync: which end is chosen, and what is done about it. */

const START = { startTime: at(-100) };
const FAIL_ON_3 = {
	podFailurePolicy: {
		rules: [{ action: 'FailJob' as const, onExitCodes: { operator: 'In' as const, values: [3] } }],
	},
};
const ON_FAILURE = {
	template: {
		...makeJob().spec.template,
		spec: { restartPolicy: 'OnFailure' as const, containers: [{ name: 'main' }] },
	},
};
const failed = (name: string, traits = {}) => makePod(name, { phase: 'Failed', ...traits });
const succeeded = (name: string, traits = {}) => makePod(name, { phase: 'Succeeded', ...traits });

type Row = readonly [
	name: string,
	job: Job,
	pods: readonly Pod[],
	expected: Readonly<Record<string, unknown>>,
];
const ROWS: readonly Row[] = [
	[
		'an announced success stays, whatever has failed since',
		makeJob(
			{ backoffLimit: 0 },
			{ ...START, conditions: [condition('SuccessCriteriaMet', 'CompletionsReached', 'm')] },
		),
		[failed('a')],
		{
			status: ['SuccessCriteriaMet CompletionsReached'],
			take: ['a'],
			settled: ['Complete CompletionsReached'],
		},
	],
	[
		'an announced failure keeps its reason, whatever else applies now',
		makeJob(
			{ activeDeadlineSeconds: 1 },
			{ ...START, conditions: [condition('FailureTarget', 'BackoffLimitExceeded', 'm')] },
		),
		[makePod('a', { deleting: true, untracked: true })],
		{ status: ['FailureTarget BackoffLimitExceeded'] },
	],
	[
		'a FailJob rule comes before backoffLimit',
		makeJob({ backoffLimit: 0, ...FAIL_ON_3 }, START),
		[failed('a', { exitCode: 3 })],
		{ status: ['FailureTarget PodFailurePolicy'], take: ['a'], settled: ['Failed PodFailurePolicy'] },
	],
	[
		'more failed Pods than backoffLimit: the running ones are deleted and counted as failed',
		makeJob({ backoffLimit: 1, parallelism: 3, completions: 3 }, { ...START, failed: 1 }),
		[failed('a'), makePod('b')],
		{ delete: ['b'], status: ['FailureTarget BackoffLimitExceeded'], take: ['a', 'b'] },
	],
	[
		'as many failed Pods as backoffLimit are borne',
		makeJob({ backoffLimit: 1 }, START),
		[failed('a', { finished: -60 })],
		{ create: ['pi-'], take: ['a'] },
	],
	[
		'a Pod that was counted while it was being deleted does not count again',
		makeJob({ backoffLimit: 1 }, { ...START, failed: 1 }),
		[makePod('a', { deleting: true, untracked: true, finished: -60 })],
		{ create: ['pi-'] },
	],
	[
		'with OnFailure as many restarts as backoffLimit are too many',
		makeJob({ backoffLimit: 2, parallelism: 2, completions: 2, ...ON_FAILURE }, START),
		[makePod('a', { restarts: 1 }), makePod('b', { restarts: 1, phase: 'Pending' })],
		{ delete: ['a', 'b'], status: ['FailureTarget BackoffLimitExceeded'], take: ['a', 'b'] },
	],
	[
		'with OnFailure and backoffLimit 0 the first restart is too many',
		makeJob({ backoffLimit: 0, ...ON_FAILURE }, START),
		[makePod('a', { restarts: 1 })],
		{ delete: ['a'], status: ['FailureTarget BackoffLimitExceeded'], take: ['a'] },
	],
	[
		'with OnFailure and backoffLimit 0 no restart is fine',
		makeJob({ backoffLimit: 0, ...ON_FAILURE }, START),
		[makePod('a')],
		{},
	],
	[
		'restarts of Pods that succeeded are forgotten',
		makeJob({ backoffLimit: 1, completions: 2, parallelism: 2, ...ON_FAILURE }, START),
		[succeeded('a', { restarts: 5 }), makePod('b')],
		{ take: ['a'] },
	],
	[
		'with Never restarts do not count',
		makeJob({ backoffLimit: 0 }, START),
		[makePod('a', { restarts: 5 })],
		{},
	],
	[
		'the deadline has passed',
		makeJob({ activeDeadlineSeconds: 100 }, START),
		[makePod('a')],
		{ delete: ['a'], status: ['FailureTarget DeadlineExceeded'], take: ['a'] },
	],
	[
		'the deadline is ahead: it is looked at again then',
		makeJob({ activeDeadlineSeconds: 130 }, START),
		[makePod('a')],
		{ lookAgainMs: 30_000 },
	],
	[
		'a suspended Job has no deadline',
		makeJob(
			{ activeDeadlineSeconds: 1, suspend: true },
			{ conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')] },
		),
		[],
		{ status: ['Suspended JobSuspended'] },
	],
	[
		'a resumed Job has its whole deadline before it',
		makeJob(
			{ activeDeadlineSeconds: 50 },
			{ ...START, conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')] },
		),
		[],
		{ create: ['pi-'], status: ['!Suspended JobResumed'], lookAgainMs: 50_000 },
	],
	[
		'failure comes before success',
		makeJob({ backoffLimit: 0 }, START),
		[failed('a'), succeeded('b')],
		{
			status: ['FailureTarget BackoffLimitExceeded'],
			take: ['a', 'b'],
			settled: ['Failed BackoffLimitExceeded'],
		},
	],
	[
		'more failed indexes than allowed',
		makeIndexed(4, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, START),
		[failed('a', { index: 0 }), failed('b', { index: 1 }), makePod('c', { index: 2 })],
		{ delete: ['c'], status: ['FailureTarget MaxFailedIndexesExceeded'], take: ['a', 'b', 'c'] },
	],
	[
		'every index has ended and some failed',
		makeIndexed(2, { backoffLimitPerIndex: 0 }, { ...START, completedIndexes: '1', succeeded: 1 }),
		[failed('a', { index: 0 })],
		{ status: ['FailureTarget FailedIndexes'], take: ['a'], settled: ['Failed FailedIndexes'] },
	],
	[
		'an index failed and others go on',
		makeIndexed(3, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, START),
		[failed('a', { index: 0 }), makePod('b', { index: 1 }), makePod('c', { index: 2 })],
		{ take: ['a'] },
	],
	[
		'the success policy is met: running Pods are deleted and not counted',
		makeIndexed(3, { successPolicy: { rules: [{ succeededIndexes: '1' }] } }, START),
		[makePod('a', { index: 0 }), succeeded('b', { index: 1 })],
		{ delete: ['a'], status: ['SuccessCriteriaMet SuccessPolicy'], take: ['a', 'b'] },
	],
	[
		'enough Pods succeeded',
		makeJob({}, START),
		[succeeded('a')],
		{
			status: ['SuccessCriteriaMet CompletionsReached'],
			take: ['a'],
			settled: ['Complete CompletionsReached'],
		},
	],
	[
		'a work queue is done once one Pod succeeded and none runs',
		makeJob({ completions: undefined, parallelism: 3 }, START),
		[succeeded('a'), failed('b')],
		{
			status: ['SuccessCriteriaMet CompletionsReached'],
			take: ['a', 'b'],
			settled: ['Complete CompletionsReached'],
		},
	],
	[
		'a work queue waits for those that still run and starts no more',
		makeJob({ completions: undefined, parallelism: 3 }, START),
		[succeeded('a'), makePod('b')],
		{ take: ['a'] },
	],
	[
		'nothing to complete is complete at once, even suspended',
		makeJob({ completions: 0, suspend: true }),
		[],
		{ status: ['SuccessCriteriaMet CompletionsReached'], settled: ['Complete CompletionsReached'] },
	],
	[
		'the end is declared only once nothing is terminating',
		makeJob({}, { ...START, conditions: [condition('FailureTarget', 'DeadlineExceeded', 'm')] }),
		[makePod('a', { deleting: true })],
		{ status: ['FailureTarget DeadlineExceeded'], take: ['a'] },
	],
];

for (const [name, job, pods, expected] of ROWS) {
	test(name, () => {
		assert.deepEqual(acts(plan(job, pods)), expected);
	});
}

test('the messages of the ends are upstream’s', () => {
	const message = (job: Job, ...pods: readonly Pod[]) => plan(job, pods).status?.conditions?.at(-1)?.message;
	assert.equal(
		message(makeJob({ backoffLimit: 0 }), failed('a')),
		'Job has reached the specified backoff limit',
	);
	assert.equal(
		message(makeJob({ activeDeadlineSeconds: 1 }, START)),
		'Job was active longer than specified deadline',
	);
	assert.equal(
		message(makeJob(FAIL_ON_3), failed('a', { exitCode: 3 })),
		'Container main for pod ns/a failed with exit code 3 matching FailJob rule at index 0',
	);
	assert.equal(
		message(makeIndexed(3, { backoffLimitPerIndex: 0, maxFailedIndexes: 0 }), failed('a', { index: 0 })),
		'Job has exceeded the specified maximal number of failed indexes',
	);
	assert.equal(
		message(makeIndexed(1, { backoffLimitPerIndex: 0 }), failed('a', { index: 0 })),
		'Job has failed indexes',
	);
	const met = makeIndexed(3, { successPolicy: { rules: [{ succeededCount: 2 }, { succeededCount: 1 }] } });
	assert.equal(message(met, succeeded('a', { index: 0 })), 'Matched rules at index 1');
	assert.equal(message(makeJob(), succeeded('a')), 'Reached expected number of succeeded pods');
});

test('a finished Job is told of once, after its last write', () => {
	const done = plan(makeJob({}, START), [succeeded('a')]);
	assert.deepEqual(done.events, []);
	assert.deepEqual(done.settledEvents, [{ type: 'Normal', reason: 'Completed', message: 'Job completed' }]);
	assert.equal(done.settled?.completionTime, at(0));
	const tooMany = plan(makeJob({}, START), [succeeded('a'), succeeded('b')]);
	assert.deepEqual(tooMany.settledEvents[0], {
		type: 'Warning',
		reason: 'TooManySucceededPods',
		message: 'Too many succeeded pods running after completion count reached',
	});
	const lost = plan(makeJob({ backoffLimit: 0 }, START), [failed('a')]);
	const message = 'Job has reached the specified backoff limit';
	assert.deepEqual(lost.settledEvents, [{ type: 'Warning', reason: 'BackoffLimitExceeded', message }]);
	assert.equal(lost.settled?.completionTime, undefined);
});

test('a Job that finished, or that someone else manages, is left alone', () => {
	const finished = makeJob({}, { ...START, conditions: [condition('Complete', 'r', 'm')] });
	const foreign = makeJob({ managedBy: 'example.com/other' });
	for (const job of [finished, foreign]) assert.deepEqual(acts(plan(job, [failed('a'), succeeded('b')])), {});
	const own = makeJob({ managedBy: 'kubernetes.io/job-controller' });
	assert.deepEqual(acts(plan(own)), { create: ['pi-'] });
});

test('an unknown completion mode is said to be unknown, and nothing else', () => {
	// Only a newer server could have stored such a Job.
	const spec: object = { completionMode: 'Elastic' };
	const strange = plan(makeJob(spec));
	assert.deepEqual(acts(strange), {});
	assert.equal(strange.events[0]?.message, 'Skipped Job sync because completion mode is unknown');
});

test('a Job that ends while suspended gets the start that a finished Job must have', () => {
	const suspended = { conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')] };
	const ended = plan(makeJob({ suspend: true, backoffLimit: 0 }, { ...suspended, failed: 1 }));
	assert.equal(ended.settled?.startTime, at(0));
});
