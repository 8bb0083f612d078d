import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Node } from '../../api/core/node/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { placePod } from './place-pod.ts';
import { clusterOf, nodeOf, podOf } from './testing/placement-world.ts';

/**
 * Invariants for any Pods in any order. This file implements the rules a second time, as simply as possible, so
 * that an error in plan/placement shows as a difference.
 */

const HOST = 'kubernetes.io/hostname';
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const KEYS = [HOST, 'zone'] as const;
const APPS = ['a', 'b', 'c'] as const;

interface Wish {
	readonly cpu: number;
	readonly priority: number;
	readonly app: string;
	readonly port: number | undefined;
	readonly avoids: { readonly app: string; readonly key: string } | undefined;
	readonly spreads: boolean;
}

const term = fc.record({ app: fc.constantFrom(...APPS), key: fc.constantFrom(...KEYS) });
const wishes: fc.Arbitrary<readonly Wish[]> = fc.array(
	fc.record({
		cpu: fc.integer({ min: 1, max: 3000 }),
		priority: fc.integer({ min: -1, max: 2 }),
		app: fc.constantFrom(...APPS),
		port: fc.option(fc.constantFrom(80, 81), { nil: undefined, freq: 5 }),
		avoids: fc.option(term, { nil: undefined }),
		spreads: fc.boolean(),
	}),
	{ maxLength: 25 },
);
const nodeCounts = fc.integer({ min: 1, max: 4 });

function wantedBy({ cpu, priority, app, port, avoids, spreads }: Wish): Pod {
	const labelSelector = (name: string): object => ({ matchLabels: { app: name } });
	const antiAffinity = avoids && {
		[REQUIRED]: [{ labelSelector: labelSelector(avoids.app), topologyKey: avoids.key }],
	};
	const constraint = {
		...{
			maxSkew: 1,
			topologyKey: HOST,
			whenUnsatisfiable: 'DoNotSchedule',
			labelSelector: labelSelector(app),
		},
	};
	return podOf({
		labels: { app },
		requests: { cpu: `${cpu}m` },
		ports: port ? [{ containerPort: port, hostPort: port }] : [],
		spec: {
			priority,
			...(antiAffinity && { affinity: { podAntiAffinity: antiAffinity } }),
			...(spreads && { topologySpreadConstraints: [constraint] }),
		},
	});
}

const nodesOf = (count: number): readonly Node[] =>
	Array.from({ length: count }, (_, i) => nodeOf({ name: `n${i}`, labels: { zone: `z${i % 2}` } }));

type Placed = Map<string, { readonly pod: Pod; readonly wish: Wish; readonly node: Node }>;

const cpuOn = (placed: Placed, node: Node): number =>
	[...placed.values()].filter((each) => each.node === node).reduce((sum, { wish }) => sum + wish.cpu, 0);

const near = (a: Node, b: Node, key: string): boolean =>
	a.metadata.labels?.[key] === b.metadata.labels?.[key];

/** Whether the rules allow the Pod on the node; `spreads` is checked only if the Pod has a constraint. */
function allows(node: Node, wish: Wish, placed: Placed, nodes: readonly Node[]): boolean {
	if (cpuOn(placed, node) + wish.cpu > 4000) return false;
	for (const other of placed.values()) {
		if (other.node === node && wish.port && other.wish.port === wish.port) return false;
		if (wish.avoids?.app === other.wish.app && near(node, other.node, wish.avoids.key)) return false;
		if (other.wish.avoids?.app === wish.app && near(node, other.node, other.wish.avoids.key)) return false;
	}
	if (!wish.spreads) return true;
	const alike = (on: Node): number =>
		[...placed.values()].filter((each) => each.node === on && each.wish.app === wish.app).length;
	return alike(node) + 1 - Math.min(...nodes.map(alike)) <= 1;
}

/** Places one Pod after the other, applies the planned preemptions, and checks each decision. */
function playOut(list: readonly Wish[], count: number, check: (seen: Decision) => void): void {
	const nodes = nodesOf(count);
	const cluster = { ...clusterOf(), nodes };
	const placed: Placed = new Map();
	for (const wish of list) {
		const pod = wantedBy(wish);
		const placement = placePod(pod, cluster);
		const allowed = nodes.filter((node) => allows(node, wish, placed, nodes));
		check({ wish, placement, allowed, placed, nodes });
		let nodeName = placement.kind === 'bind' ? placement.nodeName : undefined;
		if (placement.kind === 'unschedulable' && placement.preemption.kind === 'preempt') {
			for (const { metadata } of placement.preemption.victims) {
				cluster.occupancy.remove(metadata.uid ?? '');
				placed.delete(metadata.uid ?? '');
			}
			nodeName = placement.preemption.nodeName;
		}
		const node = nodes.find(({ metadata }) => metadata.name === nodeName);
		if (!node) continue;
		assert.ok(allows(node, wish, placed, nodes), `${JSON.stringify(wish)} is on ${nodeName}`);
		cluster.occupancy.put(pod, node.metadata.name ?? '');
		placed.set(pod.metadata.uid ?? '', { pod, wish, node });
	}
}

interface Decision {
	readonly wish: Wish;
	readonly placement: ReturnType<typeof placePod>;
	/** The nodes that the rules of this file allow. */
	readonly allowed: readonly Node[];
	readonly placed: Placed;
	readonly nodes: readonly Node[];
}

test('every Pod is placed where the rules allow it, and preemption makes enough room', () => {
	fc.assert(fc.property(wishes, nodeCounts, (list, count) => playOut(list, count, () => undefined)));
});

test('a Pod that fits on a node is placed, and no Pod is preempted for it', () => {
	fc.assert(
		fc.property(wishes, nodeCounts, (list, count) =>
			playOut(list, count, ({ placement, allowed }) => {
				const names = allowed.map(({ metadata }) => metadata.name);
				if (placement.kind === 'bind') assert.ok(names.includes(placement.nodeName));
				else assert.deepEqual(names, [], placement.message);
			}),
		),
	);
});

test('only Pods of a lower priority are preempted, and none without need', () => {
	fc.assert(
		fc.property(wishes, nodeCounts, (list, count) =>
			playOut(list, count, ({ wish, placement, placed, nodes }) => {
				if (placement.kind !== 'unschedulable' || placement.preemption.kind !== 'preempt') return;
				const { victims, nodeName } = placement.preemption;
				assert.ok(victims.length > 0);
				const node = nodes.find(({ metadata }) => metadata.name === nodeName);
				const gone = new Set(victims.map(({ metadata }) => metadata.uid ?? ''));
				for (const victim of victims) {
					assert.ok((victim.spec.priority ?? 0) < wish.priority);
					const spared: Placed = new Map(
						[...placed].filter(([uid]) => !gone.has(uid) || uid === victim.metadata.uid),
					);
					assert.ok(node && !allows(node, wish, spared, nodes), 'a victim could have stayed');
				}
			}),
		),
	);
});

test('preemption fails only if removing all Pods of lower priority from a node is not enough', () => {
	fc.assert(
		fc.property(wishes, nodeCounts, (list, count) =>
			playOut(list, count, ({ wish, placement, placed, nodes }) => {
				if (placement.kind !== 'unschedulable' || placement.preemption.kind === 'preempt') return;
				for (const node of nodes) {
					const rest: Placed = new Map(
						[...placed].filter(([, each]) => each.node !== node || each.wish.priority >= wish.priority),
					);
					const fewer = rest.size < placed.size;
					assert.ok(!fewer || !allows(node, wish, rest, nodes), `${node.metadata.name} could be cleared`);
				}
			}),
		),
	);
});

test('the message counts each node at least once', () => {
	fc.assert(
		fc.property(wishes, nodeCounts, (list, count) =>
			playOut(list, count, ({ placement }) => {
				if (placement.kind === 'bind') return;
				const [, summary = ''] =
					/^0\/\d+ nodes are available: (.*?)\.(?: preemption|$)/.exec(placement.message) ?? [];
				const counted = summary.split(', ').reduce((sum, part) => sum + Number.parseInt(part, 10), 0);
				assert.equal(counted, count, placement.message);
			}),
		),
	);
});
