import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { placePod } from './place-pod.ts';
import { type ClusterShape, clusterOf, podOf } from './testing/placement-world.ts';

interface Wish {
	readonly priority?: number;
	readonly cpu?: string;
	readonly startTime?: string;
	readonly more?: Parameters<typeof podOf>[0];
}

function pod(name: string, { priority = 0, cpu = '1', startTime, more = {} }: Wish = {}): Pod {
	return podOf({
		name,
		requests: { cpu },
		...more,
		spec: { priority, ...more.spec },
		status: { ...(startTime && { startTime }), ...more.status },
	});
}

/** The preemption for the Pod as `node: victims`, or the message. */
function preempted(wanted: Pod, shape: ClusterShape): string {
	const placement = placePod(wanted, clusterOf(shape));
	if (placement.kind === 'bind') return `fits on ${placement.nodeName}`;
	const { preemption, message } = placement;
	if (preemption.kind === 'none') return message;
	return `${preemption.nodeName}: ${preemption.victims.map(({ metadata }) => metadata.name).join(' ')}`;
}

const high = (wish: Wish = {}): Pod => pod('high', { priority: 100, ...wish });
const NOT_HELPFUL = 'Preemption is not helpful for scheduling';
const NO_VICTIMS = 'No preemption victims found for incoming pod';

test('a Pod that fits preempts nothing', () => {
	assert.equal(preempted(high(), { placed: { here: [pod('low', { cpu: '3' })] } }), 'fits on here');
});

test('the least important Pods are preempted, and no more than needed', () => {
	const placed = {
		here: [pod('a', { priority: 3 }), pod('b', { priority: 1 }), pod('c', { priority: 2, cpu: '2' })],
	};
	assert.equal(preempted(high(), { placed }), 'here: b');
	assert.equal(preempted(high({ cpu: '2' }), { placed }), 'here: c');
	assert.equal(preempted(high({ cpu: '3' }), { placed }), 'here: c b');
});

test('of Pods with the same priority those that started last are preempted, those not started first', () => {
	const placed = {
		here: [
			pod('older', { startTime: '2026-01-01T00:00:00Z', cpu: '2' }),
			pod('younger', { startTime: '2026-01-01T00:01:00Z' }),
			pod('waiting'),
		],
	};
	assert.equal(preempted(high(), { placed }), 'here: waiting');
	assert.equal(preempted(high({ cpu: '2' }), { placed }), 'here: younger waiting');
});

test('a Pod of the same priority is not preempted', () => {
	const placed = { here: [pod('same', { priority: 100, cpu: '4' })] };
	assert.equal(
		preempted(high(), { placed }),
		`0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 ${NO_VICTIMS}.`,
	);
});

test('a negative priority is lower than no priority', () => {
	assert.equal(
		preempted(pod('none'), { placed: { here: [pod('low', { priority: -1, cpu: '4' })] } }),
		'here: low',
	);
});

test('preemption does not help if the Pods on a node are not the reason', () => {
	const message = (reason: string): string =>
		`0/1 nodes are available: 1 ${reason}. preemption: 0/1 nodes are available: 1 ${NOT_HELPFUL}.`;
	const placed = { here: [pod('low')] };
	assert.equal(preempted(high({ cpu: '5' }), { placed }), message('Insufficient cpu'));
	const nodes = [{ spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }];
	assert.equal(preempted(high(), { nodes, placed }), message('node(s) had untolerated taint(s)'));
	const near = {
		podAffinity: {
			requiredDuringSchedulingIgnoredDuringExecution: [
				{ labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'kubernetes.io/hostname' },
			],
		},
	};
	assert.equal(
		preempted(high({ more: { spec: { affinity: near } } }), { placed }),
		message("node(s) didn't match pod affinity rules"),
	);
});

test('if a predicate refuses all nodes, the message says that preemption helps on none', () => {
	const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }];
	assert.equal(
		preempted(high({ more: { spec: { volumes } } }), { nodes: [{ name: 'a' }, { name: 'b' }] }),
		`0/2 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/2 nodes are available: 2 ${NOT_HELPFUL}.`,
	);
});

test('the message distinguishes the reasons of all nodes', () => {
	const nodes = [
		{ name: 'a' },
		{ name: 'b', spec: { unschedulable: true } },
		{ name: 'c', allocatable: { 'example.com/x': '1' } },
	];
	const equal = (name: string): Pod => pod(name, { priority: 100, cpu: '4' });
	const placed = { a: [equal('one')], c: [pod('small', { priority: 1 }), equal('two')] };
	assert.equal(
		preempted(high(), { nodes, placed: { ...placed, c: [pod('tiny', { cpu: '1m' }), equal('two')] } }),
		'0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. ' +
			`preemption: 0/3 nodes are available: 1 Insufficient cpu, 1 ${NO_VICTIMS}, 1 ${NOT_HELPFUL}.`,
	);
});

test('a Pod with preemptionPolicy Never preempts no Pod', () => {
	const placed = { here: [pod('low', { cpu: '4' })] };
	assert.equal(
		preempted(high({ more: { spec: { preemptionPolicy: 'Never' } } }), { placed }),
		'0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
	);
});

const ENDING = {
	metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
	status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] },
};

test('a Pod whose victims are terminating preempts no further Pods', () => {
	const waiting = high({ more: { status: { nominatedNodeName: 'here' } } });
	const here = [pod('leaving', { cpu: '2', more: ENDING }), pod('low', { cpu: '2' })];
	assert.equal(
		preempted(waiting, { placed: { here } }),
		'0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.',
	);
	const forOthers = { ...ENDING, status: {} };
	const ending = [pod('leaving', { cpu: '2', more: forOthers }), pod('low', { cpu: '2' })];
	assert.equal(preempted(waiting, { placed: { here: ending } }), 'here: low');
});

test('a nominated node that can never fit the Pod does not prevent preemption elsewhere', () => {
	const nodes = [{ name: 'a', spec: { unschedulable: true } }, { name: 'b' }];
	const waiting = high({ more: { status: { nominatedNodeName: 'a' } } });
	const placed = { a: [pod('leaving', { more: ENDING })], b: [pod('low', { cpu: '4' })] };
	assert.equal(preempted(waiting, { nodes, placed }), 'b: low');
});

test('a nomination that no longer helps is removed', () => {
	const waiting = high({ cpu: '5', more: { status: { nominatedNodeName: 'here' } } });
	const placement = placePod(waiting, clusterOf());
	assert.ok(placement.kind === 'unschedulable' && placement.preemption.kind === 'none');
	assert.equal(placement.preemption.endsNomination, true);
});

test('preemption resolves conflicts of host ports, anti-affinity and topology spread', () => {
	const port = [{ containerPort: 80, hostPort: 80 }];
	const holder = pod('holder', { more: { ports: port } });
	assert.equal(
		preempted(high({ more: { ports: port } }), { placed: { here: [holder, pod('other')] } }),
		'here: holder',
	);
	const term = { labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'kubernetes.io/hostname' };
	const away = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
	const x = pod('x', { more: { labels: { app: 'x' } } });
	assert.equal(
		preempted(high({ more: { spec: { affinity: away } } }), { placed: { here: [x, pod('other')] } }),
		'here: x',
	);
	const loner = pod('loner', { more: { spec: { affinity: away } } });
	assert.equal(
		preempted(high({ more: { labels: { app: 'x' } } }), { placed: { here: [loner, pod('other')] } }),
		'here: loner',
	);
	const nodes = [{ name: 'a' }, { name: 'b', spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }];
	const constraint = {
		...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
		labelSelector: term.labelSelector,
	};
	const even = { labels: { app: 'x' }, spec: { topologySpreadConstraints: [constraint] } };
	assert.equal(preempted(high({ more: even }), { nodes, placed: { a: [x, pod('other')] } }), 'a: x');
});

test('a Pod that the affinity of the preempting Pod requires is not preempted', () => {
	const near = {
		podAffinity: {
			requiredDuringSchedulingIgnoredDuringExecution: [
				{ labelSelector: { matchLabels: { app: 'x' } }, topologyKey: 'kubernetes.io/hostname' },
			],
		},
	};
	const friend = pod('friend', { cpu: '2', more: { labels: { app: 'x' } } });
	assert.equal(
		preempted(high({ cpu: '3', more: { spec: { affinity: near } } }), { placed: { here: [friend] } }),
		"0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
	);
});

const busy = (name: string, wishes: readonly Wish[]): readonly Pod[] =>
	wishes.map((wish, index) => pod(`${name}${index + 1}`, wish));
const at = (minute: number): string => `2026-01-01T00:0${minute}:00Z`;

/** Cases of two candidates; the second is worse in one criterion only. */
for (const [title, better, worse] of [
	['the lowest of the highest priorities', [{ priority: 5, cpu: '4' }], [{ priority: 6, cpu: '4' }]],
	[
		'then the smallest sum of priorities',
		[
			{ priority: 5, cpu: '2' },
			{ priority: 1, cpu: '2' },
		],
		[
			{ priority: 5, cpu: '2' },
			{ priority: 2, cpu: '2' },
		],
	],
	[
		'fewer victims, also of a negative priority',
		[{ priority: -5, cpu: '4' }],
		[
			{ priority: -5, cpu: '2' },
			{ priority: -5, cpu: '2' },
		],
	],
	[
		'fewer victims where the least of all priorities adds nothing to the sum',
		[{ priority: 5, cpu: '4' }],
		[
			{ priority: 5, cpu: '2' },
			{ priority: -2147483648, cpu: '2' },
		],
	],
	[
		'then those that started latest',
		[{ priority: 5, cpu: '4', startTime: at(2) }],
		[{ priority: 5, cpu: '4', startTime: at(1) }],
	],
	[
		'of which only the most important count',
		[
			{ priority: 5, cpu: '2', startTime: at(2) },
			{ priority: 1, cpu: '2', startTime: at(0) },
		],
		[
			{ priority: 5, cpu: '2', startTime: at(1) },
			{ priority: 1, cpu: '2', startTime: at(3) },
		],
	],
] as const) {
	test(`the chosen candidate: ${title}`, () => {
		for (const names of [
			['a', 'b'],
			['b', 'a'],
		] as const) {
			const [good, bad] = names;
			const placed = { [good]: busy('good', better), [bad]: busy('bad', worse) };
			const nodes = [{ name: 'a' }, { name: 'b' }];
			assert.match(preempted(high({ cpu: '4' }), { nodes, placed }), new RegExp(`^${good}: good`));
		}
	});
}

test('nominated Pods of a lower priority lose their nomination to the node', () => {
	const waiting = pod('waiting', { priority: 50, cpu: '4' });
	const rival = pod('rival', { priority: 100, cpu: '1' });
	const shape = { placed: { here: [pod('low', { cpu: '4' })] }, nominated: { here: [waiting, rival] } };
	const placement = placePod(high({ cpu: '3' }), clusterOf(shape));
	assert.ok(placement.kind === 'unschedulable' && placement.preemption.kind === 'preempt');
	assert.deepEqual(placement.preemption.outranked, [waiting]);
});

test('a Pod is not preempted if keeping it does not violate the spread constraint', () => {
	const labels = { app: 'x' };
	const constraint = {
		...{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' },
		labelSelector: { matchLabels: labels },
	};
	const nodes = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
	const full = (name: string): readonly Pod[] =>
		[1, 2].map((i) => pod(`${name}${i}`, { priority: 100, cpu: '2', more: { labels } }));
	const a = [pod('alike', { priority: 2, more: { labels } }), pod('other', { priority: 1, cpu: '3' })];
	const wanted = high({ cpu: '3', more: { labels, spec: { topologySpreadConstraints: [constraint] } } });
	assert.equal(preempted(wanted, { nodes, placed: { a, b: full('b'), c: full('c') } }), 'a: other');
});

test("a node with no allocatable Pods has no victims, and gets upstream's message", () => {
	assert.equal(
		preempted(high(), { nodes: [{ allocatable: { pods: '0' } }] }),
		`0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 ${NO_VICTIMS}.`,
	);
});
