import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { nodes } from '../../api/core/node/definition.ts';
import type { Node, NodeCondition, Taint } from '../../api/core/node/schema.ts';
import { taintsOf, type Verdict } from './node-taints.ts';

const NOW = '2026-01-31T08:00:00Z';

function nodeWith(
	conditions: readonly NodeCondition[],
	taints: readonly Taint[],
	unschedulable = false,
): Node {
	const metadata = { name: 'a', uid: 'u', resourceVersion: '1' };
	return {
		apiVersion: 'v1',
		kind: 'Node',
		metadata,
		spec: { taints, unschedulable },
		status: { conditions },
	};
}

const anyNode = fc
	.record({
		conditions: fc.array(
			fc.record({
				type: fc.constantFrom('Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure', 'toString'),
				status: fc.constantFrom('True', 'False', 'Unknown'),
			}),
			{ maxLength: 8 },
		),
		taints: fc.uniqueArray(
			fc.record({
				key: fc.constantFrom('acme.io/own', 'node.kubernetes.io/unreachable', 'node.kubernetes.io/not-ready'),
				effect: fc.constantFrom('NoSchedule', 'NoExecute'),
				value: fc.constantFrom('', 'mine'),
			}),
			{ selector: ({ key, effect }) => `${key}:${effect}` },
		),
		unschedulable: fc.boolean(),
	})
	.map(({ conditions, taints, unschedulable }) => nodeWith(conditions, taints, unschedulable));

const anyVerdict = fc.constantFrom<Verdict>(
	{ pods: 'stay' },
	{ pods: 'leave', eviction: 'start' },
	{ pods: 'leave', eviction: 'continue' },
);

test('the taints of any Node are valid, and the next plan does not change them', () => {
	fc.assert(
		fc.property(anyNode, anyVerdict, (node, verdict) => {
			const taints = taintsOf(node, verdict, NOW);
			const written = { ...node, spec: { ...node.spec, taints } };
			assert.deepEqual(nodes.strategy.validateUpdate(written, node), []);
			assert.equal(taintsOf(written, verdict, NOW), taints);
		}),
	);
});

test('a duplicate condition gives one taint', () => {
	const unknown = { type: 'Ready', status: 'Unknown' } as const;
	const taints = taintsOf(nodeWith([unknown, unknown], []), { pods: 'stay' }, NOW);
	assert.deepEqual(taints, [{ key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule', timeAdded: NOW }]);
});
