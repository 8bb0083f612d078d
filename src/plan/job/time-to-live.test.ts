import assert from 'node:assert/strict';
import test from 'node:test';
import type { Job } from '../../api/batch/job/schema.ts';
import { expiryOf } from './time-to-live.ts';

const FINISHED = '2026-01-31T08:00:00Z';

function job(
	ttlSecondsAfterFinished: number | undefined,
	type: string,
	status = 'True',
	metadata: object = {},
): Job {
	const conditions = [{ type, status, lastTransitionTime: FINISHED }];
	return { metadata, spec: { ttlSecondsAfterFinished }, status: { conditions } } as unknown as Job;
}

test('a finished Job expires ttlSecondsAfterFinished after its terminal condition', () => {
	assert.equal(expiryOf(job(60, 'Complete')), Date.parse(FINISHED) + 60_000);
	assert.equal(expiryOf(job(0, 'Failed')), Date.parse(FINISHED));
});

test('a Job without a TTL, that is not finished, or that is being deleted never expires', () => {
	assert.equal(expiryOf(job(undefined, 'Complete')), undefined);
	assert.equal(expiryOf(job(60, 'Complete', 'False')), undefined);
	assert.equal(expiryOf(job(60, 'SuccessCriteriaMet')), undefined);
	assert.equal(expiryOf(job(60, 'Complete', 'True', { deletionTimestamp: FINISHED })), undefined);
});
