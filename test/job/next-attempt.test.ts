import assert from 'node:assert/strict';
import test from 'node:test';
import { nextAttempt } from '../../src/plan/job/next-attempt.ts';
import { condition, makeJob, makePod, NOW } from './job-objects.ts';

test('a failed Pod is replaced after upstream’s backoff, which doubles with each failure', () => {
	const one = [makePod('a', { phase: 'Failed' })];
	assert.deepEqual(nextAttempt(makeJob(), one, NOW), { type: 'waits', ms: 10_000 });
	const two = [...one, makePod('b', { phase: 'Failed' })];
	assert.deepEqual(nextAttempt(makeJob(), two, NOW), { type: 'waits', ms: 20_000 });
	assert.deepEqual(nextAttempt(makeJob(), one, NOW + 10_000), { type: 'waits', ms: 0 });
});

test('a Job ends if its backoff limit or deadline allows no other Pod', () => {
	const failed = [makePod('a', { phase: 'Failed' })];
	assert.deepEqual(nextAttempt(makeJob({ backoffLimit: 0 }), failed, NOW), { type: 'ends' });
	const started = { startTime: '2026-01-31T08:00:00Z' };
	assert.deepEqual(nextAttempt(makeJob({ activeDeadlineSeconds: 5 }, started), failed, NOW), {
		type: 'ends',
	});
	const done = makeJob({}, { conditions: [condition('Failed', 'BackoffLimitExceeded', '')] });
	assert.deepEqual(nextAttempt(done, failed, NOW), { type: 'ends' });
});

test('a Job that has all its active Pods continues with them', () => {
	const pods = [makePod('a', { phase: 'Failed' }), makePod('b')];
	assert.deepEqual(nextAttempt(makeJob(), pods, NOW), { type: 'continues' });
});
