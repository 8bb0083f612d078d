import assert from 'node:assert/strict';
import test from 'node:test';
import { at, condition, makeIndexed, makeJob, makePod, plan } from './job-objects.ts';

/** Sections 2.6, 2.9 and 2.12: how ended Pods come into the status, and the status' spelling. */

const START = { startTime: at(-100) };
const failed = (name: string, traits = {}) => makePod(name, { phase: 'Failed', ...traits });
const succeeded = (name: string, traits = {}) => makePod(name, { phase: 'Succeeded', ...traits });

test('the first status of a Job: start, counts, empty uncounted lists', () => {
	assert.deepEqual(plan(makeJob({ parallelism: 2, completions: 3 })).status, {
		startTime: at(0),
		active: 2,
		terminating: 0,
		uncountedTerminatedPods: {},
		ready: 0,
	});
});

test('active, ready and terminating are what is there once the plan is done', () => {
	const pods = [
		makePod('a', { ready: true }),
		makePod('b', { ready: true }),
		makePod('c', { deleting: true, finished: -60 }),
	];
	const { status } = plan(makeJob({ parallelism: 1, completions: 9 }, START), pods);
	assert.deepEqual([status?.active, status?.ready, status?.terminating], [1, 1, 2]);
});

test('nothing is written when nothing has changed', () => {
	const job = makeJob({}, { ...START, active: 1, terminating: 0, ready: 1, uncountedTerminatedPods: {} });
	const { status, settled, takeFinalizers } = plan(job, [makePod('a', { ready: true })]);
	assert.deepEqual([status, settled, takeFinalizers], [undefined, undefined, []]);
});

test('ended Pods are noted by UID first and counted once their finalizers are off', () => {
	const job = makeJob({ parallelism: 3, completions: 9 }, { ...START, succeeded: 2, failed: 1 });
	const { status, settled } = plan(job, [succeeded('a'), succeeded('b'), failed('c'), makePod('d')]);
	assert.deepEqual(status?.uncountedTerminatedPods, { succeeded: ['a-uid', 'b-uid'], failed: ['c-uid'] });
	assert.deepEqual([status?.succeeded, status?.failed], [2, 1]);
	assert.deepEqual(settled?.uncountedTerminatedPods, {});
	assert.deepEqual([settled?.succeeded, settled?.failed], [4, 2]);
});

test('after a crash between note and count the Pod is counted once', () => {
	const noted = { ...START, uncountedTerminatedPods: { succeeded: ['a-uid', 'gone-uid'] } };
	const { status, settled, takeFinalizers } = plan(makeJob({ completions: 9 }, noted), [succeeded('a')]);
	assert.equal(status?.succeeded, 1);
	assert.deepEqual(status?.uncountedTerminatedPods, { succeeded: ['a-uid'] });
	assert.deepEqual(
		takeFinalizers.map(({ pod }) => pod.metadata.name),
		['a'],
	);
	assert.equal(settled?.succeeded, 2);
});

test('a Pod noted as failed while it was being deleted does not succeed later', () => {
	const noted = { ...START, uncountedTerminatedPods: { failed: ['a-uid'] } };
	for (const job of [makeJob({ completions: 9 }, noted), makeIndexed(9, {}, noted)]) {
		const { settled } = plan(job, [succeeded('a', { index: 0, deleting: true })]);
		assert.deepEqual(
			[settled?.succeeded, settled?.failed, settled?.completedIndexes],
			[undefined, 1, undefined],
		);
	}
});

test('of an Indexed Job successes are noted by index, invalid and repeated ones not at all', () => {
	const job = makeIndexed(6, {}, { ...START, completedIndexes: '0', succeeded: 1 });
	const pods = [
		succeeded('e', { index: 4 }),
		succeeded('a', { index: 0 }),
		succeeded('c', { index: 2 }),
		succeeded('d', { index: 3 }),
		succeeded('x', { index: 9 }),
		failed('y'),
	];
	const { status, takeFinalizers } = plan(job, pods);
	assert.equal(status?.completedIndexes, '0,2-4');
	assert.equal(status?.succeeded, 4);
	assert.deepEqual(status?.uncountedTerminatedPods, {});
	const order = takeFinalizers.map(({ pod }) => pod.metadata.name);
	assert.deepEqual(order, ['y', 'a', 'c', 'd', 'e', 'x']);
});

test('the failed indexes are shown, even when there are none, only with a limit per index', () => {
	assert.equal(plan(makeIndexed(2, { backoffLimitPerIndex: 1 })).status?.failedIndexes, '');
	assert.equal(plan(makeIndexed(2)).status?.failedIndexes, undefined);
	const pods = [failed('a', { index: 0, failures: 1 }), failed('b', { index: 2, failures: 1 })];
	assert.equal(plan(makeIndexed(4, { backoffLimitPerIndex: 1 }), pods).status?.failedIndexes, '0,2');
});

test('a FailIndex rule fails the index at once, an ignored failure never does', () => {
	const rule = (action: 'FailIndex' | 'Ignore') => ({
		backoffLimitPerIndex: 1,
		podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In' as const, values: [1] } }] },
	});
	const first = failed('a', { index: 0, failures: 0, finished: -60 });
	assert.equal(plan(makeIndexed(2, rule('FailIndex'), START), [first]).status?.failedIndexes, '0');
	const fifth = failed('a', { index: 0, failures: 5, finished: -3600 });
	assert.equal(plan(makeIndexed(2, rule('Ignore'), START), [fifth]).status?.failedIndexes, '');
});

test('an index either succeeds or fails, whatever a Pod under deletion and its replacement do', () => {
	const late = succeeded('late', { index: 0, failures: 0, deleting: true });
	const replacement = failed('b', { index: 0, failures: 1 });
	const both = plan(makeIndexed(2, { backoffLimitPerIndex: 1 }, START), [late, replacement]).status;
	assert.deepEqual([both?.completedIndexes, both?.failedIndexes], ['0', '']);
	const lost = { ...START, failedIndexes: '0' };
	const after = plan(makeIndexed(2, { backoffLimitPerIndex: 1 }, lost), [late]).status;
	assert.deepEqual([after?.completedIndexes, after?.failedIndexes], [undefined, '0']);
});

test('ignored failures are let go without being counted', () => {
	const rules = [{ action: 'Ignore' as const, onExitCodes: { operator: 'In' as const, values: [1] } }];
	const job = makeJob({ backoffLimit: 0, podFailurePolicy: { rules } }, START);
	const { status, settled, takeFinalizers } = plan(job, [failed('a')]);
	assert.equal(takeFinalizers.length, 1);
	assert.deepEqual(status?.uncountedTerminatedPods, {});
	assert.equal(settled, undefined);
});

test('a write notes at most 500 Pods; the end waits for the rest', () => {
	const pods = Array.from({ length: 501 }, (_, index) => succeeded(`p${index}`));
	const job = makeJob({ parallelism: 501, completions: 501 }, START);
	const first = plan(job, pods);
	assert.equal(first.status?.uncountedTerminatedPods?.succeeded?.length, 500);
	assert.equal(first.takeFinalizers.length, 500);
	assert.equal(first.settled?.succeeded, 500);
	assert.equal(first.settled?.conditions?.length, 1);
	assert.equal(first.lookAgainMs, 0);
	const second = plan({ ...job, status: first.settled ?? {} }, pods.slice(500));
	assert.equal(second.settled?.succeeded, 501);
	assert.equal(second.settled?.conditions?.at(-1)?.type, 'Complete');
});

test('interim and terminal condition come in two writes, the second with the time of completion', () => {
	const reason = 'CompletionsReached';
	const message = 'Reached expected number of succeeded pods';
	const { status, settled } = plan(makeJob({}, START), [succeeded('a')]);
	assert.deepEqual(status?.conditions, [condition('SuccessCriteriaMet', reason, message)]);
	assert.equal(status?.completionTime, undefined);
	assert.deepEqual(settled, {
		conditions: [condition('SuccessCriteriaMet', reason, message), condition('Complete', reason, message)],
		startTime: at(-100),
		completionTime: at(0),
		succeeded: 1,
		terminating: 0,
		uncountedTerminatedPods: {},
		ready: 0,
	});
});
