import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { ResourceSupply, Threshold } from '../../plan/eviction/thresholds.ts';
import { podWith } from '../../plan/pod/testing/pod-with.ts';
import { Evictions } from './evictions.ts';

/** A node whose memory, Pods and files the test decides. */
class TestNode {
	thresholds: Threshold[] = [{ signal: 'memory.available', value: '100', minReclaim: '50' }];
	readonly clock = new VirtualClock();
	memory: ResourceSupply = { available: 1000, capacity: 1000 };
	pods: Pod[] = [];
	/** By Pod UID. */
	readonly uses = new Map<string, number>();
	readonly woken: string[] = [];
	readonly events: EventText[] = [];
	written = 0;
	/** What each container has written to its root file system. */
	layer = 0;
	/** The Pod whose files cannot be measured. */
	unreadable: string | undefined;
	readonly errors: string[] = [];
	/** How often Pods were measured. */
	measured = 0;
	readonly evictions = new Evictions({
		clock: this.clock,
		thresholds: this.thresholds,
		runtime: {
			usage: async () => {
				this.measured += 1;
				return Array.from(this.uses, ([podUid, workingSetBytes]) => ({
					...{ id: podUid, podUid, name: 'c', at: 0, cpuNanoseconds: 0, memoryBytes: 0 },
					...{ workingSetBytes, processes: 1, writableLayerBytes: this.layer },
				}));
			},
		},
		pods: () => this.pods,
		observe: async () => ({ 'memory.available': this.memory }),
		diskUse: async ({ metadata: { uid } }) => {
			this.measured += 1;
			if (uid === this.unreadable) throw new Error('its files cannot be read');
			return { volumes: new Map([['v', { usedBytes: this.written, inodes: 1 }]]), logs: new Map() };
		},
		wake: (uid) => void this.woken.push(uid),
		record: (event) => void this.events.push(event),
		onError: (error) => {
			if (this.unreadable === undefined) assert.fail(String(error));
			this.errors.push(String(error));
		},
	});

	add(uid: string, memoryBytes: number, spec: object = { containers: [{ name: 'c' }] }): void {
		const made = podWith(spec);
		this.pods.push({ ...made, metadata: { ...made.metadata, uid } });
		this.uses.set(uid, memoryBytes);
	}
}

test('on a healthy node without limits, no Pod is measured', async () => {
	const node = new TestNode();
	node.add('a', 5);
	await node.evictions.check();
	assert.deepEqual([node.measured, node.woken, [...node.evictions.pressures]], [0, [], []]);
});

test('a node that is short of memory evicts one Pod, and the next one when that is gone', async () => {
	const node = new TestNode();
	node.add('small', 5);
	node.add('large', 50);
	node.memory = { available: 99, capacity: 1000 };
	await node.evictions.check();
	assert.deepEqual(node.woken, ['large']);
	assert.match(node.evictions.of('large')?.message ?? '', /^The node was low on resource: memory\. /);
	assert.equal(node.evictions.of('large')?.isPressure, true);
	assert.deepEqual([...node.evictions.pressures], ['MemoryPressure']);
	assert.deepEqual(node.events[0], {
		type: 'Warning',
		reason: 'EvictionThresholdMet',
		message: 'Attempting to reclaim memory',
	});
	await node.evictions.check();
	assert.deepEqual(node.woken, ['large']);
	node.pods = node.pods.filter(({ metadata }) => metadata.uid !== 'large');
	await node.evictions.check();
	assert.deepEqual(node.woken, ['large', 'small']);
	assert.equal(node.evictions.of('large'), undefined);
});

test('evictions continue until the minimum reclaim is free beyond the threshold', async () => {
	const node = new TestNode();
	node.add('a', 5);
	node.memory = { available: 149, capacity: 1000 };
	await node.evictions.check();
	assert.deepEqual(node.woken, []);
	node.memory = { available: 99, capacity: 1000 };
	await node.evictions.check();
	node.pods = [];
	node.add('b', 5);
	node.memory = { available: 149, capacity: 1000 };
	await node.evictions.check();
	assert.deepEqual(node.woken, ['a', 'b']);
	node.pods = [];
	node.add('c', 5);
	node.memory = { available: 150, capacity: 1000 };
	await node.evictions.check();
	assert.deepEqual(node.woken, ['a', 'b']);
});

test('the pressure ends five minutes after the shortage', async () => {
	const node = new TestNode();
	node.memory = { available: 1, capacity: 1000 };
	await node.evictions.check();
	node.memory = { available: 1000, capacity: 1000 };
	node.clock.advance(299_000);
	await node.evictions.check();
	assert.equal(node.evictions.pressures.size, 1);
	node.clock.advance(1000);
	await node.evictions.check();
	assert.equal(node.evictions.pressures.size, 0);
});

test('a Pod that writes more than it may is evicted, whatever the node has', async () => {
	const node = new TestNode();
	node.add('a', 5, {
		containers: [{ name: 'c' }],
		volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Ki' } }],
	});
	node.written = 1024;
	await node.evictions.check();
	assert.deepEqual(node.woken, []);
	node.written = 1025;
	await node.evictions.check();
	assert.deepEqual(node.woken, ['a']);
	assert.deepEqual(node.evictions.of('a'), {
		message: 'Usage of EmptyDir volume "v" exceeds the limit "1Ki". ',
		isPressure: false,
		graceSeconds: 1,
	});
});

test('a Pod whose container writes more to its root than it may is evicted', async () => {
	const node = new TestNode();
	const resources = { limits: { 'ephemeral-storage': '1Ki' } };
	node.add('a', 5, { containers: [{ name: 'c', resources }] });
	node.layer = 1024;
	await node.evictions.check();
	assert.deepEqual(node.woken, []);
	node.layer = 1025;
	await node.evictions.check();
	assert.match(node.evictions.of('a')?.message ?? '', /exceeds the total limit of containers 1Ki/);
});

test('a Pod that is being deleted or has ended is not evicted', async () => {
	const node = new TestNode();
	node.add('a', 50);
	node.memory = { available: 1, capacity: 1000 };
	node.pods = node.pods.map((pod) => ({
		...pod,
		metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
	}));
	await node.evictions.check();
	node.pods = node.pods.map(({ metadata: { deletionTimestamp: _, ...metadata }, ...pod }) => ({
		...{ ...pod, metadata },
		status: { phase: 'Succeeded' },
	}));
	await node.evictions.check();
	assert.deepEqual(node.woken, []);
});

test('a soft threshold evicts once its grace period is over without interruption, and has set the condition before', async () => {
	const node = new TestNode();
	node.thresholds.push({
		...{ signal: 'memory.available', value: '200' },
		soft: { graceMs: 90_000, maxPodGraceSeconds: 20 },
	});
	node.add('a', 5);
	const checkAfter = async (waitMs: number, available: number): Promise<void> => {
		node.clock.advance(waitMs);
		node.memory = { available, capacity: 1000 };
		await node.evictions.check();
	};
	await checkAfter(0, 199);
	assert.deepEqual([...node.evictions.pressures], ['MemoryPressure']);
	await checkAfter(89_000, 200);
	await checkAfter(1000, 199);
	await checkAfter(89_999, 199);
	assert.deepEqual(node.woken, []);
	await checkAfter(1, 199);
	assert.deepEqual(node.woken, ['a']);
	assert.equal(node.evictions.of('a')?.graceSeconds, 20);
	assert.match(node.evictions.of('a')?.message ?? '', /Threshold quantity: 200, available: 199/);
});

test('a hard threshold evicts at once, although a soft one of the same resource is met longer', async () => {
	const node = new TestNode();
	const soft = { graceMs: 0, maxPodGraceSeconds: 0 };
	node.thresholds.unshift({ signal: 'memory.available', value: '200', soft });
	node.add('a', 5);
	node.memory = { available: 99, capacity: 1000 };
	await node.evictions.check();
	assert.equal(node.evictions.of('a')?.graceSeconds, 1);
});

test('a Pod whose files cannot be measured does not keep others from being evicted', async () => {
	const node = new TestNode();
	node.unreadable = 'bad';
	node.written = 100;
	const spec = { containers: [{ name: 'c' }], volumes: [{ name: 'v', emptyDir: { sizeLimit: '10' } }] };
	node.add('bad', 50, spec);
	node.add('good', 5, spec);
	await node.evictions.check();
	assert.deepEqual(node.woken, ['good']);
	node.memory = { available: 99, capacity: 1000 };
	await node.evictions.check();
	assert.ok(node.errors.every((error) => error === 'Error: its files cannot be read'));
});
