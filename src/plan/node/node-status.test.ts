import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node } from '../../api/core/node/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { type Machine, nodeStatusOf } from './node-status.ts';

const MACHINE: Machine = {
	...{ name: 'a', address: '127.0.0.1', cpus: 2, memoryBytes: 1 << 30, diskBytes: 1 << 30, maxPods: 110 },
	...{ platform: 'linux', architecture: 'x64', kernel: '6', osImage: 'Debian', machineId: 'm', bootId: 'b' },
	inUserNamespace: false,
};

function statusAfter(status: Node['status'], now: number): Node['status'] {
	const before: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: {}, status };
	return nodeStatusOf(MACHINE, { now, before, runtimeVersion: 'fake://1', version: '0' });
}

test('conditions that other components set on the Node are kept', () => {
	const foreign = { type: 'KernelDeadlock', status: 'False' } as const;
	const { conditions = [] } = statusAfter({ conditions: [foreign] }, 0);
	assert.deepEqual(
		conditions.map(({ type }) => type),
		['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready', 'KernelDeadlock'],
	);
	assert.deepEqual(conditions.at(-1), foreign);
});

test('a condition keeps its transition time while its status does not change', () => {
	const first = statusAfter({}, 0);
	const second = statusAfter(first, 60_000);
	const ready = findCondition(second.conditions, 'Ready');
	assert.equal(ready?.lastTransitionTime, '1970-01-01T00:00:00Z');
	assert.equal(ready?.lastHeartbeatTime, '1970-01-01T00:01:00Z');
});
