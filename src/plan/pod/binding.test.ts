import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { boundPod, unbindable } from './binding.ts';
import { podWith } from './testing/pod-with.ts';

const NOW = '2026-01-31T08:00:00Z';
const BINDING = {
	apiVersion: 'v1',
	kind: 'Binding',
	metadata: { name: 'p' },
	target: { kind: 'Node', name: 'here' },
};

const pod = (fields: { metadata?: object; spec?: object; status?: object } = {}): Pod => {
	const base = podWith({});
	return {
		...base,
		metadata: { ...base.metadata, name: 'p', ...fields.metadata },
		spec: { ...base.spec, ...fields.spec },
		status: { ...base.status, ...fields.status },
	};
};

test('a Pod that is being deleted, assigned or gated cannot be assigned', () => {
	assert.equal(unbindable(pod()), undefined);
	const rows: readonly [Pod, string][] = [
		[pod({ metadata: { deletionTimestamp: NOW } }), 'pod p is being deleted, cannot be assigned to a host'],
		[pod({ spec: { nodeName: 'there' } }), 'pod p is already assigned to node "there"'],
		[pod({ spec: { schedulingGates: [{ name: 'a/b' }] } }), 'pod p has non-empty .spec.schedulingGates'],
	];
	for (const [one, because] of rows) assert.equal(unbindable(one), because);
});

test('a binding sets the node and PodScheduled, merges annotations and ends the nomination', () => {
	const before = pod({
		metadata: { generation: 2, annotations: { a: '1', b: '1' } },
		status: { nominatedNodeName: 'here' },
	});
	const metadata = { ...BINDING.metadata, annotations: { b: '2' } };
	const after = boundPod(before, { ...BINDING, metadata }, NOW);
	assert.equal(after.spec.nodeName, 'here');
	assert.deepEqual(after.metadata.annotations, { a: '1', b: '2' });
	assert.equal(after.status.nominatedNodeName, undefined);
	assert.deepEqual(after.status.conditions, [
		{
			type: 'PodScheduled',
			observedGeneration: 2,
			status: 'True',
			lastProbeTime: null,
			lastTransitionTime: NOW,
		},
	]);
});

test('a binding without annotations adds none to a Pod without', () => {
	assert.equal('annotations' in boundPod(pod(), BINDING, NOW).metadata, false);
});
