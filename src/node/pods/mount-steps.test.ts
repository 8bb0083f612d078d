import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { WHOLE_POD } from '../../plan/pod/snapshot.ts';
import type { MountFailures, PodInputs } from './inputs.ts';
import { MountSteps } from './mount-steps.ts';
import { StartBackoffs } from './start-backoffs.ts';

const POD = { metadata: { name: 'p', uid: 'u' } } as unknown as Pod;
const FAILED: EventText = { type: 'Warning', reason: 'FailedMount', message: 'configmap "x" not found' };

/** The steps over a stage of inputs with these results, one for each set-up; `during` runs within it. */
function steps(result: MountFailures, during: () => void = () => {}) {
	const stage = { changes: 0, stale: true };
	const inputs = {
		changesOf: () => stage.changes,
		isStale: () => stage.stale,
		setUpVolumes: async () => {
			during();
			return result;
		},
	} as unknown as PodInputs;
	const backoffs = new StartBackoffs(new VirtualClock());
	const events: EventText[] = [];
	const mounts = new MountSteps({ inputs, backoffs, record: (_, told) => void events.push(...told) });
	const delay = (): number | undefined => backoffs.of('u').get(WHOLE_POD)?.retryAfterMs;
	return { mounts, stage, events, delay, backoffs };
}

test('a failed set-up records its events, and is retried with upstream’s backoff', async () => {
	const { mounts, events, delay, backoffs } = steps({ events: [FAILED], hasClaimFailure: false });
	assert.equal(await mounts.setUp(POD), false);
	assert.deepEqual([events, delay()], [[FAILED], 500]);
	await mounts.setUp(POD);
	assert.equal(delay(), 1000);
	assert.equal(backoffs.of('u').get(WHOLE_POD)?.message, FAILED.message);
	mounts.retryNow('u');
	assert.equal(delay(), 0);
});

test('a set-up during which an input has changed is retried at once', async () => {
	const { mounts, stage, delay } = steps({ events: [FAILED], hasClaimFailure: true }, () => {
		stage.changes += 1;
	});
	await mounts.setUp(POD);
	assert.equal(delay(), 0);
});

test('a refresh records its failures without a backoff, and does nothing unless files are stale', async () => {
	let times = 0;
	const { mounts, stage, events, delay } = steps({ events: [FAILED], hasClaimFailure: false }, () => {
		times += 1;
	});
	await mounts.refresh(POD);
	stage.stale = false;
	await mounts.refresh(POD);
	assert.deepEqual([times, events, delay()], [1, [FAILED], undefined]);
});

test('only failures for want of inputs are retried after a change', async () => {
	const { mounts, backoffs } = steps({ events: [], hasClaimFailure: false });
	assert.equal(await mounts.setUp(POD), true);
	backoffs.note('u', 'c', { reason: 'ErrImagePull', message: 'no such image' });
	mounts.retryNow('u');
	assert.equal(backoffs.of('u').get('c')?.retryAfterMs, undefined);
});
