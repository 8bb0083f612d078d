import assert from 'node:assert/strict';
import test from 'node:test';
import type { PodSpec } from '../../../api/core/pod/schema.ts';
import type { PriorityClass } from '../../../api/scheduling/priorityclass/schema.ts';
import { podWith } from '../testing/pod-with.ts';
import { decidePriority, withPriorityOf } from './priority.ts';

const pod = podWith({});
const spec = (fields: Partial<PodSpec>): PodSpec => ({ ...pod.spec, ...fields });

const HIGH: PriorityClass = {
	apiVersion: 'scheduling.k8s.io/v1',
	kind: 'PriorityClass',
	metadata: { name: 'high' },
	value: 1000,
	preemptionPolicy: 'Never',
};

test('a Pod receives name, priority and preemption policy of its class', () => {
	const fields = { priorityClassName: 'high', priority: 1000, preemptionPolicy: 'Never' };
	assert.deepEqual(decidePriority(spec({ priorityClassName: 'high' }), HIGH), { kind: 'set', fields });
	assert.deepEqual(decidePriority(spec({}), HIGH), { kind: 'set', fields }, 'the default class is named too');
	const same = spec({ priorityClassName: 'high', priority: 1000, preemptionPolicy: 'Never' });
	assert.deepEqual(decidePriority(same, HIGH), { kind: 'set', fields });
});

test('without any class, the priority is 0', () => {
	const fields = { priority: 0, preemptionPolicy: 'PreemptLowerPriority' };
	assert.deepEqual(decidePriority(spec({}), undefined), { kind: 'set', fields });
});

test('a Pod with an unknown class or another priority than that of its class is refused', () => {
	const rows: readonly [Partial<PodSpec>, PriorityClass | undefined, string][] = [
		[{ priorityClassName: 'none' }, undefined, 'no PriorityClass with name none was found'],
		[
			{ priorityClassName: 'high', priority: 1 },
			HIGH,
			'the integer value of priority (1) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name',
		],
		[
			{ preemptionPolicy: 'Never' },
			undefined,
			'the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name',
		],
	];
	for (const [fields, found, because] of rows)
		assert.deepEqual(decidePriority(spec(fields), found), { kind: 'refuse', because });
});

test('an update that leaves out priority and preemption policy keeps them, and one that sets them is left to validation', () => {
	const old = { ...pod, spec: spec({ priority: 5, preemptionPolicy: 'Never' }) };
	const { priority, preemptionPolicy } = withPriorityOf(old, pod).spec;
	assert.deepEqual([priority, preemptionPolicy], [5, 'Never']);
	const changed = { ...pod, spec: spec({ priority: 6, preemptionPolicy: 'Never' }) };
	assert.equal(withPriorityOf(old, changed), changed);
});
