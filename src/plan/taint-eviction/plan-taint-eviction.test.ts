import assert from 'node:assert/strict';
import test from 'node:test';
import type { Taint } from '../../api/core/node/schema.ts';
import type { Pod, Toleration } from '../../api/core/pod/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import { planTaintEviction } from './plan-taint-eviction.ts';

const BOUND = Date.UTC(2026, 0, 31, 8);
const LATER = BOUND + 100_000;
const GONE: Taint = { key: 'gone', effect: 'NoExecute', timeAdded: formatTime(LATER) };

function pod(tolerations: readonly Toleration[], more: Partial<Pod['metadata']> = {}): Pod {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', generation: 2, ...more },
		spec: { containers: [], tolerations },
		status: { conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: formatTime(BOUND) }] },
	};
}

/** `keep`, `evict`, or the seconds from {@link LATER} until the Pod's eviction is due. */
function decide(tolerations: readonly Toleration[], taints: readonly Taint[], now = LATER): string | number {
	const plan = planTaintEviction({ pod: pod(tolerations), taints, noticedAt: () => LATER + 5000, now });
	return plan.kind === 'wait' ? (plan.until - LATER) / 1000 : plan.kind;
}

test('the tolerations of a Pod decide whether it is evicted, and when', () => {
	const forGood = { key: 'gone', operator: 'Exists' } as const;
	const rows: readonly (readonly [string, readonly Toleration[], readonly Taint[], string | number])[] = [
		['no taint', [], [], 'keep'],
		['another effect', [], [{ key: 'gone', effect: 'NoSchedule' }], 'keep'],
		['not tolerated', [], [GONE], 'evict'],
		['tolerated for good', [forGood], [GONE], 'keep'],
		['for a time', [{ ...forGood, tolerationSeconds: 30 }], [GONE], 30],
		['for no time', [{ ...forGood, tolerationSeconds: 0 }], [GONE], 'evict'],
		['the first toleration that fits counts', [{ ...forGood, tolerationSeconds: 9 }, forGood], [GONE], 9],
		['one of two', [forGood], [GONE, { ...GONE, key: 'too' }], 'evict'],
		['the shorter time', [{ operator: 'Exists', tolerationSeconds: 7 }], [GONE, { ...GONE, key: 'too' }], 7],
		[
			'a taint without time',
			[{ ...forGood, tolerationSeconds: 30 }],
			[{ key: 'gone', effect: 'NoExecute' }],
			35,
		],
	];
	for (const [what, tolerations, taints, expected] of rows)
		assert.equal(decide(tolerations, taints), expected, what);
});

test('the tolerated time starts when taint and Pod meet, whenever the controller plans', () => {
	const tolerations = [{ key: 'gone', operator: 'Exists', tolerationSeconds: 30 } as const];
	assert.equal(decide(tolerations, [GONE], LATER + 29_999), 30);
	assert.equal(decide(tolerations, [GONE], LATER + 30_000), 'evict');
	const early = { ...GONE, timeAdded: formatTime(BOUND - 3_600_000) };
	assert.equal(decide(tolerations, [early], BOUND), -70);
});

test('an evicted Pod gets the DisruptionTarget condition, once', () => {
	const plan = planTaintEviction({ pod: pod([]), taints: [GONE], noticedAt: () => 0, now: LATER });
	assert.ok(plan.kind === 'evict');
	assert.equal(plan.due, LATER);
	const condition = plan.status.conditions?.at(-1);
	assert.deepEqual(condition, {
		type: 'DisruptionTarget',
		observedGeneration: 2,
		status: 'True',
		lastProbeTime: null,
		lastTransitionTime: formatTime(LATER),
		reason: 'DeletionByTaintManager',
		message: 'Taint manager: deleting due to NoExecute taint',
	});
	const leaving = { ...pod([], { deletionTimestamp: formatTime(LATER) }), status: plan.status };
	const again = planTaintEviction({ pod: leaving, taints: [GONE], noticedAt: () => 0, now: LATER });
	assert.equal(again.kind, 'keep');
});
