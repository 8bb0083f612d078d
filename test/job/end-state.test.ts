import assert from 'node:assert/strict';
import test from 'node:test';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { acts, at, condition, makeIndexed, makeJob, makePod, plan } from './job-objects.ts';

/**
 * Which end the plan chooses for a Job, and what it does because of it. Follows `syncJob` of upstream's Job
 * controller.
 */

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
		'SuccessCriteriaMet stays, although Pods have failed since',
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
		'FailureTarget keeps its reason, although another one applies now',
		makeJob(
			{ activeDeadlineSeconds: 1 },
			{ ...START, conditions: [condition('FailureTarget', 'BackoffLimitExceeded', 'm')] },
		),
		[makePod('a', { deleting: true, untracked: true })],
		{ status: ['FailureTarget BackoffLimitExceeded'] },
	],
	[
		'a FailJob rule has precedence over backoffLimit',
		makeJob({ backoffLimit: 0, ...FAIL_ON_3 }, START),
		[failed('a', { exitCode: 3 })],
		{ status: ['FailureTarget PodFailurePolicy'], take: ['a'], settled: ['Failed PodFailurePolicy'] },
	],
	[
		'with more failed Pods than backoffLimit the running ones are deleted and counted as failed',
		makeJob({ backoffLimit: 1, parallelism: 3, completions: 3 }, { ...START, failed: 1 }),
		[failed('a'), makePod('b')],
		{ delete: ['b'], status: ['FailureTarget BackoffLimitExceeded'], take: ['a', 'b'] },
	],
	[
		'as many failed Pods as backoffLimit do not fail the Job',
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
		'with OnFailure as many restarts as backoffLimit fail the Job',
		makeJob({ backoffLimit: 2, parallelism: 2, completions: 2, ...ON_FAILURE }, START),
		[makePod('a', { restarts: 1 }), makePod('b', { restarts: 1, phase: 'Pending' })],
		{ delete: ['a', 'b'], status: ['FailureTarget BackoffLimitExceeded'], take: ['a', 'b'] },
	],
	[
		'with OnFailure and backoffLimit 0 the first restart fails the Job',
		makeJob({ backoffLimit: 0, ...ON_FAILURE }, START),
		[makePod('a', { restarts: 1 })],
		{ delete: ['a'], status: ['FailureTarget BackoffLimitExceeded'], take: ['a'] },
	],
	[
		'with OnFailure and backoffLimit 0 a Job without restarts continues',
		makeJob({ backoffLimit: 0, ...ON_FAILURE }, START),
		[makePod('a')],
		{},
	],
	[
		'restarts of succeeded Pods do not count',
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
		'a Job fails after activeDeadlineSeconds',
		makeJob({ activeDeadlineSeconds: 100 }, START),
		[makePod('a')],
		{ delete: ['a'], status: ['FailureTarget DeadlineExceeded'], take: ['a'] },
	],
	[
		'a plan requests the next reconcile at the deadline',
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
		'a resumed Job has its whole activeDeadlineSeconds again',
		makeJob(
			{ activeDeadlineSeconds: 50 },
			{ ...START, conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')] },
		),
		[],
		{ create: ['pi-'], status: ['!Suspended JobResumed'], lookAgainMs: 50_000 },
	],
	[
		'failure has precedence over success',
		makeJob({ backoffLimit: 0 }, START),
		[failed('a'), succeeded('b')],
		{
			status: ['FailureTarget BackoffLimitExceeded'],
			take: ['a', 'b'],
			settled: ['Failed BackoffLimitExceeded'],
		},
	],
	[
		'more failed indexes than maxFailedIndexes fail the Job',
		makeIndexed(4, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, START),
		[failed('a', { index: 0 }), failed('b', { index: 1 }), makePod('c', { index: 2 })],
		{ delete: ['c'], status: ['FailureTarget MaxFailedIndexesExceeded'], take: ['a', 'b', 'c'] },
	],
	[
		'a Job fails once every index has ended and some have failed',
		makeIndexed(2, { backoffLimitPerIndex: 0 }, { ...START, completedIndexes: '1', succeeded: 1 }),
		[failed('a', { index: 0 })],
		{ status: ['FailureTarget FailedIndexes'], take: ['a'], settled: ['Failed FailedIndexes'] },
	],
	[
		'a Job with a failed index continues with the others',
		makeIndexed(3, { backoffLimitPerIndex: 0, maxFailedIndexes: 1 }, START),
		[failed('a', { index: 0 }), makePod('b', { index: 1 }), makePod('c', { index: 2 })],
		{ take: ['a'] },
	],
	[
		'once the success policy is met running Pods are deleted and not counted',
		makeIndexed(3, { successPolicy: { rules: [{ succeededIndexes: '1' }] } }, START),
		[makePod('a', { index: 0 }), succeeded('b', { index: 1 })],
		{ delete: ['a'], status: ['SuccessCriteriaMet SuccessPolicy'], take: ['a', 'b'] },
	],
	[
		'a Job completes once enough Pods have succeeded',
		makeJob({}, START),
		[succeeded('a')],
		{
			status: ['SuccessCriteriaMet CompletionsReached'],
			take: ['a'],
			settled: ['Complete CompletionsReached'],
		},
	],
	[
		'a work queue completes once one Pod has succeeded and none runs',
		makeJob({ completions: undefined, parallelism: 3 }, START),
		[succeeded('a'), failed('b')],
		{
			status: ['SuccessCriteriaMet CompletionsReached'],
			take: ['a', 'b'],
			settled: ['Complete CompletionsReached'],
		},
	],
	[
		'a work queue waits for running Pods after the first success, and creates no more',
		makeJob({ completions: undefined, parallelism: 3 }, START),
		[succeeded('a'), makePod('b')],
		{ take: ['a'] },
	],
	[
		'a Job with completions 0 completes at once, even if it is suspended',
		makeJob({ completions: 0, suspend: true }),
		[],
		{ status: ['SuccessCriteriaMet CompletionsReached'], settled: ['Complete CompletionsReached'] },
	],
	[
		'the terminal condition waits until no Pod is terminating',
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

test('the messages of the end conditions are upstream’s', () => {
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

test('the controller records the event of a finished Job once, after its last write', () => {
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

test('the plan does nothing for a finished Job or one that another controller manages', () => {
	const finished = makeJob({}, { ...START, conditions: [condition('Complete', 'r', 'm')] });
	const foreign = makeJob({ managedBy: 'example.com/other' });
	for (const job of [finished, foreign]) assert.deepEqual(acts(plan(job, [failed('a'), succeeded('b')])), {});
	const own = makeJob({ managedBy: 'kubernetes.io/job-controller' });
	assert.deepEqual(acts(plan(own)), { create: ['pi-'] });
});

test('a Job with an unknown completion mode gets an event and nothing else', () => {
	// The server refuses such a Job, but a newer version may have stored it.
	const spec: object = { completionMode: 'Elastic' };
	const strange = plan(makeJob(spec));
	assert.deepEqual(acts(strange), {});
	assert.equal(strange.events[0]?.message, 'Skipped Job sync because completion mode is unknown');
});

test('a Job that finishes while it is suspended gets a startTime, which the API requires', () => {
	const suspended = { conditions: [condition('Suspended', 'JobSuspended', 'Job suspended')] };
	const ended = plan(makeJob({ suspend: true, backoffLimit: 0 }, { ...suspended, failed: 1 }));
	assert.equal(ended.settled?.startTime, at(0));
});
