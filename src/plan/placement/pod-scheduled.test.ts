import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { placePod } from './place-pod.ts';
import { unscheduledStatus } from './pod-scheduled.ts';
import { type ClusterShape, clusterOf, podOf } from './testing/placement-world.ts';

const NOW = '2026-01-02T00:00:00Z';
const BEFORE = '2026-01-01T00:00:00Z';

function statusOf(pod: Pod, shape: ClusterShape = {}): ReturnType<typeof unscheduledStatus> {
	const placement = placePod(pod, clusterOf(shape));
	assert.ok(placement.kind === 'unschedulable');
	return unscheduledStatus(pod, placement, NOW);
}

const MESSAGE =
	'0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.';

function large(status: object = {}, metadata: object = {}): Pod {
	return podOf({ requests: { cpu: '5' }, status, metadata });
}

test('a Pod without the condition gets it, with its generation', () => {
	assert.deepEqual(statusOf(large({}, { generation: 3 })), {
		conditions: [
			{
				type: 'PodScheduled',
				observedGeneration: 3,
				status: 'False',
				reason: 'Unschedulable',
				message: MESSAGE,
				lastTransitionTime: NOW,
			},
		],
	});
});

const condition = (more: object = {}): object => ({
	conditions: [
		{
			...{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: MESSAGE },
			...{ lastTransitionTime: BEFORE, ...more },
		},
	],
});

test('an unchanged condition is not written again', () => {
	assert.equal(statusOf(large(condition())), undefined);
});

test('another message keeps the transition time', () => {
	const [changed] = statusOf(large(condition({ message: 'other' })))?.conditions ?? [];
	assert.deepEqual([changed?.message, changed?.lastTransitionTime], [MESSAGE, BEFORE]);
	const [gated] = statusOf(large(condition({ reason: 'SchedulingGated' })))?.conditions ?? [];
	assert.equal(gated?.reason, 'Unschedulable');
	const [newer] = statusOf(large(condition({ observedGeneration: 1 }), { generation: 2 }))?.conditions ?? [];
	assert.equal(newer?.observedGeneration, 2);
});

test('a nomination is written once, and removed when it no longer helps', () => {
	const low = podOf({ requests: { cpu: '4' } });
	const wanting = (status: object = {}): Pod =>
		podOf({ requests: { cpu: '1' }, spec: { priority: 5 }, status });
	const shape = { placed: { here: [low] } };
	assert.equal(statusOf(wanting(), shape)?.nominatedNodeName, 'here');
	assert.equal('nominatedNodeName' in (statusOf(wanting({ nominatedNodeName: 'here' }), shape) ?? {}), false);
	assert.equal(statusOf(large({ nominatedNodeName: 'here' }))?.nominatedNodeName, null);
	const status = statusOf(large({ ...condition(), nominatedNodeName: 'here' }));
	assert.deepEqual(status, { nominatedNodeName: null });
});
