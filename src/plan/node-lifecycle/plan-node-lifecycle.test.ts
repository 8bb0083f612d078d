import assert from 'node:assert/strict';
import test from 'node:test';
import type { Lease } from '../../api/coordination/lease/schema.ts';
import type { Node, NodeCondition, Taint } from '../../api/core/node/schema.ts';
import { findCondition } from '../../api/meta/conditions.ts';
import { formatMicroTime, formatTime } from '../../api/meta/time.ts';
import {
	NOTHING_REMEMBERED,
	type NodeLifecyclePlan,
	type NodeStep,
	planNodeLifecycle,
} from './plan-node-lifecycle.ts';

const START = Date.UTC(2026, 0, 31, 8);
const SECOND = 1000;

/** Nodes for which plans are made repeatedly; each plan is applied at once. */
class NodeWorld {
	now = START;
	readonly nodes = new Map<string, Node>();
	readonly leases = new Map<string, Lease>();
	memory = NOTHING_REMEMBERED;

	add(
		name: string,
		traits: { readonly labels?: Record<string, string>; readonly conditions?: null } = {},
	): void {
		const { labels = {} } = traits;
		const metadata = { name, uid: `uid-of-${name}`, creationTimestamp: formatTime(this.now), labels };
		const status = traits.conditions === null ? {} : { conditions: this.#conditions() };
		this.nodes.set(name, { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status });
		if (traits.conditions !== null) this.renew(name);
	}

	#conditions(): readonly NodeCondition[] {
		const at = formatTime(this.now);
		return ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
			type,
			status: type === 'Ready' ? 'True' : 'False',
			lastHeartbeatTime: at,
			lastTransitionTime: at,
		}));
	}

	/** The agent of the node renews its Lease. */
	renew(name: string): void {
		this.leases.set(name, {
			apiVersion: 'coordination.k8s.io/v1',
			kind: 'Lease',
			metadata: { name },
			spec: { holderIdentity: name, renewTime: formatMicroTime(this.now) },
		});
	}

	/** The agent of the node reports fresh conditions. */
	report(name: string): void {
		this.change(name, (node) => ({ ...node, status: { conditions: this.#conditions() } }));
		this.renew(name);
	}

	change(name: string, how: (node: Node) => Node): void {
		const node = this.nodes.get(name);
		assert.ok(node);
		this.nodes.set(name, how(node));
	}

	plan(): NodeLifecyclePlan {
		const plan = planNodeLifecycle({
			now: this.now,
			nodes: [...this.nodes.values()],
			lease: (name) => this.leases.get(name),
			memory: this.memory,
		});
		this.memory = plan.memory;
		for (const { node, conditions, taints, labels } of plan.steps) {
			this.nodes.set(node.metadata.name ?? '', {
				...node,
				metadata: { ...node.metadata, labels: { ...node.metadata.labels, ...labels } },
				spec: { ...node.spec, ...(taints && { taints }) },
				status: { ...node.status, ...(conditions && { conditions }) },
			});
		}
		return plan;
	}

	/** Lets time pass while these nodes send heartbeats; plans every second. */
	pass(seconds: number, alive: readonly string[]): readonly NodeStep[] {
		const steps: NodeStep[] = [];
		for (let second = 1; second <= seconds; second++) {
			this.now += SECOND;
			if (second % 10 === 0) for (const name of alive) this.renew(name);
			const plan = this.plan();
			steps.push(...plan.steps.filter((step) => step.conditions || step.taints || step.labels));
		}
		return steps;
	}

	ready(name: string): string | undefined {
		return findCondition(this.nodes.get(name)?.status.conditions, 'Ready')?.status;
	}

	taints(name: string): readonly string[] {
		const shown = ({ key, effect }: Taint): string => `${key.replace('node.kubernetes.io/', '')}:${effect}`;
		return (this.nodes.get(name)?.spec.taints ?? []).map(shown);
	}
}

function worldOf(...names: readonly string[]): NodeWorld {
	const world = new NodeWorld();
	for (const name of names) world.add(name);
	world.plan();
	return world;
}

test('a node that renews its Lease is not changed, and is checked again at the end of its grace period', () => {
	const world = worldOf('a');
	assert.deepEqual(world.pass(600, ['a']), []);
	world.renew('a');
	assert.equal(world.plan().lookAgainAt, world.now + 50 * SECOND + 1);
});

test("a node without heartbeats for 50 seconds gets upstream's Unknown conditions and a NoSchedule taint", () => {
	const world = worldOf('a', 'b');
	assert.deepEqual(world.pass(50, ['b']), []);
	const [step] = world.pass(1, ['b']);
	assert.equal(step?.isLost, true);
	assert.equal(step?.marksPods, true);
	assert.deepEqual(step?.conditions, world.nodes.get('a')?.status.conditions);
	for (const condition of step?.conditions ?? []) {
		assert.deepEqual(condition, {
			type: condition.type,
			status: 'Unknown',
			reason: 'NodeStatusUnknown',
			message: 'Kubelet stopped posting node status.',
			lastHeartbeatTime: formatTime(START),
			lastTransitionTime: formatTime(world.now),
		});
	}
	assert.deepEqual(world.taints('a'), ['unreachable:NoSchedule', 'unreachable:NoExecute']);
	assert.deepEqual(
		world.nodes.get('a')?.spec.taints?.map(({ timeAdded }) => timeAdded),
		[formatTime(world.now), formatTime(world.now)],
	);
});

test('a node that sends heartbeats again loses its taints', () => {
	const world = worldOf('a', 'b');
	world.pass(60, ['b']);
	world.report('a');
	const [step] = world.plan().steps;
	assert.deepEqual(step?.taints, []);
	assert.equal(step?.marksPods, false);
	assert.deepEqual(world.taints('a'), []);
});

test('a node whose agent never reported has a grace period of 60 seconds from its creation', () => {
	const world = worldOf('b');
	world.add('a', { conditions: null });
	assert.deepEqual(world.pass(60, ['b']), []);
	const [step] = world.pass(1, ['b']);
	assert.equal(step?.isLost, false);
	assert.deepEqual(step?.conditions?.[0], {
		type: 'Ready',
		status: 'Unknown',
		reason: 'NodeStatusNeverUpdated',
		message: 'Kubelet never posted node status.',
		lastHeartbeatTime: formatTime(START),
		lastTransitionTime: formatTime(world.now),
	});
});

test('while no node sends heartbeats, none is evicted; once one recovers, the others are', () => {
	const world = worldOf('a', 'b');
	world.pass(100, []);
	assert.deepEqual([world.ready('a'), world.ready('b')], ['Unknown', 'Unknown']);
	assert.deepEqual(world.taints('a'), ['unreachable:NoSchedule']);
	world.report('a');
	world.pass(1, []);
	assert.deepEqual(world.taints('a'), []);
	assert.deepEqual(world.taints('b'), ['unreachable:NoSchedule', 'unreachable:NoExecute']);
});

test('while all nodes are unhealthy, existing NoExecute taints are removed', () => {
	const world = worldOf('a', 'b');
	world.pass(60, ['b']);
	assert.deepEqual(world.taints('a'), ['unreachable:NoSchedule', 'unreachable:NoExecute']);
	world.pass(60, []);
	assert.deepEqual(world.taints('a'), ['unreachable:NoSchedule']);
});

test('the nodes of a zone are evicted one every ten seconds', () => {
	const world = worldOf('a', 'b', 'c', 'd');
	world.pass(51, ['c', 'd']);
	const marked = (): number => ['a', 'b'].filter((name) => world.taints(name).length === 2).length;
	assert.equal(marked(), 1);
	assert.equal(world.plan().lookAgainAt, world.now + 10 * SECOND);
	world.pass(9, ['c', 'd']);
	assert.equal(marked(), 1);
	world.pass(1, ['c', 'd']);
	assert.equal(marked(), 2);
});

test('with most nodes unhealthy, a small zone is not evicted at all, a large one slowly', () => {
	const names = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `n${i}`);
	const evicted = (size: number, seconds: number): number => {
		const world = worldOf(...names(size));
		world.pass(50 + seconds, names(Math.floor(size * 0.4)));
		return names(size).filter((name) => world.taints(name).length === 2).length;
	};
	assert.equal(evicted(10, 200), 0);
	assert.equal(evicted(60, 210), 3);
});

test('a zone without healthy nodes is evicted while another zone is healthy', () => {
	const world = new NodeWorld();
	const labels = { 'topology.kubernetes.io/zone': 'far' };
	world.add('a', { labels });
	world.add('b');
	world.plan();
	const steps = world.pass(51, ['b']);
	assert.equal(steps.length, 1);
	assert.deepEqual(world.taints('a'), ['unreachable:NoSchedule', 'unreachable:NoExecute']);
	assert.deepEqual(world.plan().zones.get(':\0:far'), { size: 1, unhealthy: 1, state: 'FullDisruption' });
});

test('taints follow conditions and spec.unschedulable; other taints are kept', () => {
	const world = worldOf('a', 'b');
	const own = { key: 'example.com/gpu', effect: 'NoSchedule' } as const;
	world.change('a', (node) => ({
		...node,
		spec: { unschedulable: true, taints: [own] },
		status: {
			conditions: (node.status.conditions ?? []).map((one) =>
				one.type === 'DiskPressure' ? { ...one, status: 'True' } : one,
			),
		},
	}));
	world.plan();
	assert.deepEqual(world.taints('a'), [
		'example.com/gpu:NoSchedule',
		'disk-pressure:NoSchedule',
		'unschedulable:NoSchedule',
	]);
	world.change('a', (node) => ({ ...node, spec: { taints: node.spec.taints ?? [] } }));
	world.report('a');
	world.plan();
	assert.deepEqual(world.taints('a'), ['example.com/gpu:NoSchedule']);
});

test('not-ready and unreachable exclude each other, and replacing one by the other is not rate-limited', () => {
	const world = worldOf('a', 'b');
	world.pass(51, ['b']);
	world.change('a', (node) => ({
		...node,
		status: {
			conditions: (node.status.conditions ?? []).map((one) =>
				one.type === 'Ready' ? { ...one, status: 'False', lastHeartbeatTime: formatTime(world.now) } : one,
			),
		},
	}));
	world.plan();
	assert.deepEqual(world.taints('a'), ['not-ready:NoSchedule', 'not-ready:NoExecute']);
});

test('beta labels get the values of the stable ones', () => {
	const world = new NodeWorld();
	world.add('a', { labels: { 'kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'arm' } });
	const [step] = world.plan().steps;
	assert.deepEqual(step?.labels, { 'beta.kubernetes.io/os': 'linux' });
	assert.deepEqual(world.plan().steps, []);
});

test('a Node that was created again does not inherit the missing heartbeats of the old one', () => {
	const world = worldOf('a', 'b');
	world.pass(45, ['b']);
	world.change('a', (node) => ({ ...node, metadata: { ...node.metadata, uid: 'another' } }));
	assert.deepEqual(world.pass(49, ['b']), []);
});
