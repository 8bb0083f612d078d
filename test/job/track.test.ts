import assert from 'node:assert/strict';
import test from 'node:test';
import { at, condition, makeIndexed, makeJob, makePod, plan } from './job-objects.ts';

/** How ended Pods are recorded in the status, and the exact form of the status. */

const START = { startTime: at(-100) };
const failed = (name: string, traits = {}) => makePod(name, { phase: 'Failed', ...traits });
const succeeded = (name: string, traits = {}) => makePod(name, { phase: 'Succeeded', ...traits });

test('the first status of a Job has startTime, counts and empty uncounted lists', () => {
	assert.deepEqual(plan(makeJob({ parallelism: 2, completions: 3 })).status, {
		startTime: at(0),
		active: 2,
		terminating: 0,
		uncountedTerminatedPods: {},
		ready: 0,
	});
});

test('active, ready and terminating count the Pods as they are after the plan is applied', () => {
	const pods = [
		makePod('a', { ready: true }),
		makePod('b', { ready: true }),
		makePod('c', { deleting: true, finished: -60 }),
	];
	const { status } = plan(makeJob({ parallelism: 1, completions: 9 }, START), pods);
	assert.deepEqual([status?.active, status?.ready, status?.terminating], [1, 1, 2]);
});

test('the controller writes no status if it is unchanged', () => {
	const job = makeJob({}, { ...START, active: 1, terminating: 0, ready: 1, uncountedTerminatedPods: {} });
	const { status, settled, takeFinalizers } = plan(job, [makePod('a', { ready: true })]);
	assert.deepEqual([status, settled, takeFinalizers], [undefined, undefined, []]);
});

test('the controller records ended Pods by UID first, and counts them once their finalizers are removed', () => {
	const job = makeJob({ parallelism: 3, completions: 9 }, { ...START, succeeded: 2, failed: 1 });
	const { status, settled } = plan(job, [succeeded('a'), succeeded('b'), failed('c'), makePod('d')]);
	assert.deepEqual(status?.uncountedTerminatedPods, { succeeded: ['a-uid', 'b-uid'], failed: ['c-uid'] });
	assert.deepEqual([status?.succeeded, status?.failed], [2, 1]);
	assert.deepEqual(settled?.uncountedTerminatedPods, {});
	assert.deepEqual([settled?.succeeded, settled?.failed], [4, 2]);
});

test('a Pod is counted once if the controller crashes between recording and counting it', () => {
	const recorded = { ...START, uncountedTerminatedPods: { succeeded: ['a-uid', 'gone-uid'] } };
	const { status, settled, takeFinalizers } = plan(makeJob({ completions: 9 }, recorded), [succeeded('a')]);
	assert.equal(status?.succeeded, 1);
	assert.deepEqual(status?.uncountedTerminatedPods, { succeeded: ['a-uid'] });
	assert.deepEqual(
		takeFinalizers.map(({ pod }) => pod.metadata.name),
		['a'],
	);
	assert.equal(settled?.succeeded, 2);
});

test('a Pod recorded as failed during its deletion does not count as succeeded later', () => {
	const recorded = { ...START, uncountedTerminatedPods: { failed: ['a-uid'] } };
	for (const job of [makeJob({ completions: 9 }, recorded), makeIndexed(9, {}, recorded)]) {
		const { settled } = plan(job, [succeeded('a', { index: 0, deleting: true })]);
		assert.deepEqual(
			[settled?.succeeded, settled?.failed, settled?.completedIndexes],
			[undefined, 1, undefined],
		);
	}
});

test('an Indexed Job records successes by index, and no invalid or repeated ones', () => {
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

test('a Job has failedIndexes, even an empty one, only with backoffLimitPerIndex', () => {
	assert.equal(plan(makeIndexed(2, { backoffLimitPerIndex: 1 })).status?.failedIndexes, '');
	assert.equal(plan(makeIndexed(2)).status?.failedIndexes, undefined);
	const pods = [failed('a', { index: 0, failures: 1 }), failed('b', { index: 2, failures: 1 })];
	assert.equal(plan(makeIndexed(4, { backoffLimitPerIndex: 1 }), pods).status?.failedIndexes, '0,2');
});

test('a FailIndex rule fails the index at once; an ignored failure never does', () => {
	const rule = (action: 'FailIndex' | 'Ignore') => ({
		backoffLimitPerIndex: 1,
		podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In' as const, values: [1] } }] },
	});
	const first = failed('a', { index: 0, failures: 0, finished: -60 });
	assert.equal(plan(makeIndexed(2, rule('FailIndex'), START), [first]).status?.failedIndexes, '0');
	const fifth = failed('a', { index: 0, failures: 5, finished: -3600 });
	assert.equal(plan(makeIndexed(2, rule('Ignore'), START), [fifth]).status?.failedIndexes, '');
});

test('an index never both succeeds and fails, if a terminating Pod and its replacement end differently', () => {
	const late = succeeded('late', { index: 0, failures: 0, deleting: true });
	const replacement = failed('b', { index: 0, failures: 1 });
	const both = plan(makeIndexed(2, { backoffLimitPerIndex: 1 }, START), [late, replacement]).status;
	assert.deepEqual([both?.completedIndexes, both?.failedIndexes], ['0', '']);
	const lost = { ...START, failedIndexes: '0' };
	const after = plan(makeIndexed(2, { backoffLimitPerIndex: 1 }, lost), [late]).status;
	assert.deepEqual([after?.completedIndexes, after?.failedIndexes], [undefined, '0']);
});

test('the controller releases ignored failures without counting them', () => {
	const rules = [{ action: 'Ignore' as const, onExitCodes: { operator: 'In' as const, values: [1] } }];
	const job = makeJob({ backoffLimit: 0, podFailurePolicy: { rules } }, START);
	const { status, settled, takeFinalizers } = plan(job, [failed('a')]);
	assert.equal(takeFinalizers.length, 1);
	assert.deepEqual(status?.uncountedTerminatedPods, {});
	assert.equal(settled, undefined);
});

test('one write records at most 500 Pods, and the end of the Job waits for the rest', () => {
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

test('the interim and the terminal condition are in two writes, the second with completionTime', () => {
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
