import assert from 'node:assert/strict';
import test from 'node:test';
import type { Node } from '../../api/core/node/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { isolationEvents, type Machine, nodeStatusOf, pressureEvents } from './node-status.ts';

const MACHINE: Machine = {
	...{ name: 'a', address: '127.0.0.1', cpus: 2, memoryBytes: 1 << 30, diskBytes: 1 << 30, maxPods: 110 },
	...{ platform: 'linux', architecture: 'x64', kernel: '6', osImage: 'Debian', machineId: 'm', bootId: 'b' },
	inUserNamespace: false,
};

function statusAfter(status: Node['status'], now: number, pressures = new Set<string>()): Node['status'] {
	return nodeStatusOf(MACHINE, {
		now,
		before: nodeWith(status),
		runtimeVersion: 'fake://1',
		version: '0',
		pressures,
	});
}

function nodeWith(status: Node['status']): Node {
	return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' }, spec: {}, status };
}

test('a shortage is a condition and an Event, and so is its end', () => {
	const short = new Set(['DiskPressure']);
	const status = statusAfter({}, 0, short);
	const { status: value, reason, message } = findCondition(status.conditions, 'DiskPressure') ?? {};
	assert.deepEqual([value, reason, message], ['True', 'KubeletHasDiskPressure', 'kubelet has disk pressure']);
	const eventsAfter = (before: Node['status'], pressures: ReadonlySet<string>): unknown =>
		pressureEvents('a', { before: nodeWith(before), pressures }).map((event) => event.message);
	assert.deepEqual(eventsAfter({}, short), ['Node a status is now: NodeHasDiskPressure']);
	assert.deepEqual(eventsAfter(status, short), []);
	assert.deepEqual(eventsAfter(status, new Set()), ['Node a status is now: NodeHasNoDiskPressure']);
});

test('conditions that other components set on the Node are kept', () => {
	const foreign = { type: 'KernelDeadlock', status: 'False' } as const;
	const { conditions = [] } = statusAfter({ conditions: [foreign] }, 0);
	assert.deepEqual(
		conditions.map(({ type }) => type),
		['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready', 'KernelDeadlock'],
	);
	assert.deepEqual(conditions.at(-1), foreign);
});

test('the Node says whose network Pods have, and why they have no other one', () => {
	const conditionWith = (podNetwork: Parameters<typeof nodeStatusOf>[1]['podNetwork']): unknown => {
		const inputs = {
			now: 0,
			before: undefined,
			runtimeVersion: 'fake://1',
			version: '0',
			pressures: new Set(''),
		};
		const { conditions } = nodeStatusOf(MACHINE, { ...inputs, podNetwork });
		const { status, reason, message } = findCondition(conditions, 'NetworkUnavailable') ?? {};
		return [status, reason, message];
	};
	assert.deepEqual(conditionWith(undefined), [undefined, undefined, undefined]);
	assert.deepEqual(conditionWith({ kind: 'pod' }), [
		'False',
		'PodNetwork',
		'Pods have networks of their own',
	]);
	assert.deepEqual(conditionWith({ kind: 'host', reason: 'that needs root' }), [
		'False',
		'HostNetwork',
		'Pods have the network of this machine: that needs root',
	]);
});

test('the Node says what isolates containers, and an Event says why nothing does', () => {
	const inputs = { now: 0, before: undefined, runtimeVersion: 'x://1', version: '0', pressures: new Set('') };
	const nodeAt = (isolation: Parameters<typeof nodeStatusOf>[1]['isolation']): Node =>
		nodeWith(nodeStatusOf(MACHINE, { ...inputs, isolation }));
	const conditionOf = (node: Node): unknown => {
		const { status, reason, message } = findCondition(node.status.conditions, 'ContainersIsolated') ?? {};
		return [status, reason, message];
	};
	const root = nodeAt({ level: 'root' });
	const chroot = nodeAt({ level: 'chroot', reason: 'clone: function not implemented' });
	const text =
		'each container has a root file system of its own, and all else is that of this machine (level chroot): clone: function not implemented';
	assert.deepEqual(conditionOf(nodeAt(undefined)), [undefined, undefined, undefined]);
	assert.deepEqual(conditionOf(root), [
		'True',
		'Root',
		'each container has views and rights of its own (level root)',
	]);
	assert.deepEqual(conditionOf(chroot), ['False', 'Chroot', text]);
	assert.deepEqual(isolationEvents(undefined, root), []);
	const event = { type: 'Warning', reason: 'ContainersNotIsolated', message: text };
	assert.deepEqual(isolationEvents(undefined, chroot), [event]);
	assert.deepEqual(isolationEvents(root, chroot), [event]);
	assert.deepEqual(isolationEvents(chroot, chroot), []);
});

test('a condition keeps its transition time while its status does not change', () => {
	const first = statusAfter({}, 0);
	const second = statusAfter(first, 60_000);
	const ready = findCondition(second.conditions, 'Ready');
	assert.equal(ready?.lastTransitionTime, '1970-01-01T00:00:00Z');
	assert.equal(ready?.lastHeartbeatTime, '1970-01-01T00:01:00Z');
});
