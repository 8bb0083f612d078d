import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node } from '../../api/core/node/schema.ts';
import type { Pod, PodStatus } from '../../api/core/pod/schema.ts';
import type { ObjectMeta } from '../../api/meta/object-meta.ts';
import { type PodGarbagePlan, planPodGarbage } from './plan-pod-garbage.ts';

const NOW = Date.UTC(2026, 0, 31, 8);

interface Traits {
	readonly phase?: string;
	readonly nodeName?: string;
	readonly metadata?: ObjectMeta;
	readonly conditions?: PodStatus['conditions'];
}

function makePod({ phase = 'Running', nodeName, metadata, conditions }: Traits): Pod {
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', generation: 3, ...metadata },
		spec: { containers: [{ name: 'main' }], ...(nodeName && { nodeName }) },
		status: { phase, ...(conditions && { conditions }) },
	} as Pod;
}

function makeNode(ready: 'True' | 'False' | 'Unknown', taint: string): Node {
	return {
		apiVersion: 'v1',
		kind: 'Node',
		metadata: { name: 'n' },
		spec: { taints: [{ key: taint, effect: 'NoExecute' }] },
		status: { conditions: [{ type: 'Ready', status: ready }] },
	};
}

const DELETED: ObjectMeta = { deletionTimestamp: '2026-01-31T08:00:30Z', deletionGracePeriodSeconds: 30 };
const DEAD = makeNode('Unknown', 'node.kubernetes.io/out-of-service');

function plan(
	traits: Traits,
	{ node, nodeIsGone = false }: { node?: Node; nodeIsGone?: boolean } = {},
): PodGarbagePlan {
	return planPodGarbage({ pod: makePod(traits), node, nodeIsGone, now: NOW });
}

test('a Pod that a node agent can end is kept', () => {
	const rows: readonly (readonly [string, PodGarbagePlan, string])[] = [
		['a waiting Pod', plan({ phase: 'Pending' }), 'a node agent can end it'],
		['a running Pod', plan({ nodeName: 'n' }, { node: DEAD }), 'a node agent can end it'],
		[
			'a Pod under deletion on a node that is not out of service',
			plan({ nodeName: 'n', metadata: DELETED }, { node: makeNode('False', 'other') }),
			'a node agent can end it',
		],
		[
			'a Pod under deletion on a ready node with the out-of-service taint',
			plan(
				{ nodeName: 'n', metadata: DELETED },
				{ node: makeNode('True', 'node.kubernetes.io/out-of-service') },
			),
			'a node agent can end it',
		],
		[
			'a Pod under deletion on a node that may exist',
			plan({ nodeName: 'n', metadata: DELETED }),
			'a node agent can end it',
		],
		[
			'a collected Pod that waits for its Job',
			plan(
				{ phase: 'Failed', nodeName: 'n', metadata: { ...DELETED, deletionGracePeriodSeconds: 0 } },
				{ nodeIsGone: true },
			),
			'it was collected already and waits for its finalizers',
		],
	];
	for (const [name, found, because] of rows) assert.deepEqual(found, { kind: 'keep', because }, name);
});

test('a Pod without a node is marked as failed when it is deleted', () => {
	assert.deepEqual(plan({ phase: 'Pending', metadata: { ...DELETED, deletionGracePeriodSeconds: 0 } }), {
		kind: 'collect',
		status: { phase: 'Failed', observedGeneration: 3 },
		because: 'it is being deleted and never had a node',
	});
});

test('a Pod that is deleted on a node out of service is marked as failed', () => {
	assert.deepEqual(plan({ nodeName: 'n', metadata: DELETED }, { node: DEAD }), {
		kind: 'collect',
		status: { phase: 'Failed', observedGeneration: 3 },
		because: 'it is being deleted and its node is out of service',
	});
});

test('a Pod whose node no longer exists is marked as failed with a DisruptionTarget condition', () => {
	const ready = { type: 'Ready', status: 'True' as const };
	const found = plan({ nodeName: 'n', conditions: [ready] }, { nodeIsGone: true });
	assert.deepEqual(found, {
		kind: 'collect',
		status: {
			phase: 'Failed',
			observedGeneration: 3,
			conditions: [
				ready,
				{
					type: 'DisruptionTarget',
					observedGeneration: 3,
					status: 'True',
					lastProbeTime: null,
					lastTransitionTime: '2026-01-31T08:00:00Z',
					reason: 'DeletionByPodGC',
					message: 'PodGC: node no longer exists',
				},
			],
		},
		because: 'its node no longer exists',
	});
});

test('a Pod that has ended keeps its status and is deleted', () => {
	const because = 'its node no longer exists';
	for (const phase of ['Succeeded', 'Failed']) {
		assert.deepEqual(plan({ phase, nodeName: 'n' }, { nodeIsGone: true }), { kind: 'collect', because });
	}
});
