import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { attentionTo, type ReconcileUrgency } from '../../src/controllers/job/changes.ts';
import { makePod, type PodTraits } from './job-objects.ts';

const running: PodTraits = {};
const ready: PodTraits = { ready: true };
const ended: PodTraits = { phase: 'Succeeded' };
const counted: PodTraits = { phase: 'Succeeded', untracked: true };

const table: readonly (readonly [
	what: string,
	old?: PodTraits,
	now?: PodTraits,
	attention?: ReconcileUrgency,
])[] = [
	['a new Pod', undefined, running, 'now'],
	['a removed Pod', running, undefined, 'now'],
	['a removed Pod that was counted', counted, undefined, 'never'],
	['a Pod that starts to run', { phase: 'Pending' }, running, 'never'],
	['a Pod that becomes ready', running, ready, 'soon'],
	['a Pod that is no longer ready', ready, running, 'soon'],
	['a Pod that ends', ready, ended, 'now'],
	['a Pod that is being deleted', running, { deleting: true }, 'now'],
	['a Pod whose container restarts', running, { restarts: 1 }, 'now'],
	['a Pod that loses the tracking finalizer', running, { untracked: true }, 'now'],
	['a Pod whose labels change', running, { labels: { a: 'b' } }, 'now'],
	['a Pod whose index changes', { index: 1 }, { index: 2 }, 'now'],
	['a Pod that loses its owner', running, { ownerless: true }, 'now'],
	['a counted Pod whose labels change', counted, { ...counted, labels: { a: 'b' } }, 'now'],
	['an update without a relevant change', ready, ready, 'never'],
];

for (const [what, old, now, attention] of table) {
	test(`the Job controller reacts to ${what}: ${attention}`, () => {
		const podOf = (traits: PodTraits | undefined): Pod | undefined => traits && makePod('a', traits);
		assert.equal(attentionTo(podOf(now), podOf(old)), attention);
	});
}
