import assert from 'node:assert/strict';
import test from 'node:test';
import type { Container } from '../../../api/core/pod/schema.ts';
import type { Attempt } from '../snapshot.ts';
import { ATTEMPTS_TO_KEEP, isRestarted, restartDelayMs } from './restart.ts';

const LONG = 600_001;

/** Attempts that ran for these milliseconds each; the first one has the number `from`. */
function ended(runs: readonly number[], from = 0): readonly Attempt[] {
	return runs.map((ranMs, index) => ({
		id: `c${index}`,
		attempt: from + index,
		imageRef: 'i',
		state: 'exited',
		startedAt: 0,
		finishedAt: ranMs,
		exitCode: 1,
		reason: 'Error',
	}));
}

const delays: readonly (readonly [string, readonly Attempt[], number])[] = [
	['nothing has ended', [], 0],
	['the first end', ended([1]), 0],
	['the second', ended([1, 1]), 10],
	['the third', ended([1, 1, 1]), 20],
	['the sixth', ended([1, 1, 1, 1, 1, 1]), 160],
	['more than that is capped', ended([1, 1, 1, 1, 1, 1, 1]), 300],
	['a run of ten minutes is not yet long', ended([1, 1, 600_000]), 20],
	['a longer one clears the record', ended([1, 1, LONG]), 0],
	['an end after a long run is the second', ended([1, 1, LONG, 1]), 10],
	['attempts that were removed do not count', ended([1, 1], 2), 10],
	['those after a long run are counted from it', ended([LONG, 1, 1], 7), 20],
];

for (const [name, attempts, seconds] of delays) {
	test(`the backoff before a restart: ${name}`, () => assert.equal(restartDelayMs(attempts), seconds * 1000));
}

test('an attempt that was created but not started is ignored', () => {
	const made: Attempt = { id: 'm', attempt: 5, imageRef: 'i', state: 'created' };
	assert.equal(restartDelayMs([...ended([1, 1], 3), made]), 10_000);
});

test('the kept attempts are enough to compute the longest backoff', () => {
	assert.equal(restartDelayMs(ended(Array(ATTEMPTS_TO_KEEP).fill(1), 100)), 300_000);
	assert.equal(restartDelayMs(ended([LONG, ...Array(ATTEMPTS_TO_KEEP - 1).fill(1)], 100)), 300_000);
});

test('Always restarts every ended container, OnFailure failed ones, Never none', () => {
	const table = ['Always', 'OnFailure', 'Never'].map((policy) =>
		[0, 1].map((code) => isRestarted({ name: 'c' }, policy, code)),
	);
	assert.deepEqual(table, [
		[true, true],
		[false, true],
		[false, false],
	]);
});

test("a container's restartPolicyRules come first, then its restartPolicy, then the Pod's", () => {
	const exitCodes = { operator: 'In', values: [42] } as const;
	const rules = [{ action: 'Restart', exitCodes }] as const;
	const own: Container = { name: 'c', restartPolicy: 'Never', restartPolicyRules: rules };
	assert.deepEqual(
		[42, 1, 0].map((code) => isRestarted(own, 'Always', code)),
		[true, false, false],
	);
	const others: Container = {
		...own,
		restartPolicyRules: [{ action: 'Restart', exitCodes: { ...exitCodes, operator: 'NotIn' } }],
	};
	assert.deepEqual(
		[42, 1].map((code) => isRestarted(others, 'Never', code)),
		[false, true],
	);
	assert.equal(isRestarted({ name: 'c', restartPolicy: 'OnFailure' }, 'Never', 1), true);
});
