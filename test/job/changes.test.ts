import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { type Attention, attentionTo } from '../../src/controllers/job/changes.ts';
import { makePod, type PodTraits } from './job-objects.ts';

const running: PodTraits = {};
const ready: PodTraits = { ready: true };
const ended: PodTraits = { phase: 'Succeeded' };
const settled: PodTraits = { phase: 'Succeeded', untracked: true };

const table: readonly (readonly [what: string, old?: PodTraits, now?: PodTraits, attention?: Attention])[] = [
	['a new Pod', undefined, running, 'now'],
	['a Pod that is gone', running, undefined, 'now'],
	['a settled Pod that is gone', settled, undefined, 'never'],
	['a Pod that runs', { phase: 'Pending' }, running, 'never'],
	['a Pod that is ready', running, ready, 'soon'],
	['one that is so no more', ready, running, 'soon'],
	['an end', ready, ended, 'now'],
	['a deletion', running, { deleting: true }, 'now'],
	['a restart', running, { restarts: 1 }, 'now'],
	['a Pod let go of', running, { untracked: true }, 'now'],
	['other labels', running, { labels: { a: 'b' } }, 'now'],
	['another index', { index: 1 }, { index: 2 }, 'now'],
	['another controller', running, { ownerless: true }, 'now'],
	['labels of a settled Pod', settled, { ...settled, labels: { a: 'b' } }, 'now'],
	['nothing else', ready, ready, 'never'],
];

for (const [what, old, now, attention] of table) {
	test(`what a Job makes of ${what}`, () => {
		const podOf = (traits: PodTraits | undefined): Pod | undefined => traits && makePod('a', traits);
		assert.equal(attentionTo(podOf(now), podOf(old)), attention);
	});
}
