import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { type ClusterShape, outcomeOf, podOf } from '../testing/placement-world.ts';

const TOO_UNEVEN = "node(s) didn't match pod topology spread constraints";
const NO_LABEL = `${TOO_UNEVEN} (missing required label)`;

const nodes = [
	{ name: 'a1', labels: { zone: 'a' } },
	{ name: 'a2', labels: { zone: 'a' } },
	{ name: 'b1', labels: { zone: 'b' } },
];

function spread(more: object = {}, spec: object = {}): Pod {
	const constraint = {
		maxSkew: 1,
		topologyKey: 'zone',
		whenUnsatisfiable: 'DoNotSchedule',
		labelSelector: { matchLabels: { app: 'web' } },
		...more,
	};
	return podOf({ labels: { app: 'web' }, spec: { topologySpreadConstraints: [constraint], ...spec } });
}

const webs = (count: number, more: object = {}): readonly Pod[] =>
	Array.from({ length: count }, () => podOf({ labels: { app: 'web' }, ...more }));

function lands(pod: Pod, placed: ClusterShape['placed'], shape: ClusterShape = { nodes }): string {
	return outcomeOf(pod, { ...shape, placed: placed ?? {} });
}

test('no domain exceeds the smallest one by more than maxSkew', () => {
	assert.equal(lands(spread(), { a1: webs(1) }), 'on b1');
	assert.match(lands(spread(), { a1: webs(1), b1: webs(2) }), /^on a/);
	assert.match(lands(spread({ maxSkew: 2 }), { b1: webs(1) }), /^on a/);
	const one = { nodes: nodes.slice(0, 2) };
	assert.match(lands(spread(), { a1: webs(5) }, one), /^on a/);
});

test('domains are filled evenly, regardless of their number of nodes', () => {
	assert.equal(lands(spread(), { a1: webs(1), a2: webs(1), b1: webs(1) }), 'on b1');
});

test('a Pod that its selector does not match is placed by the counts of other Pods', () => {
	const other = podOf({
		spec: {
			topologySpreadConstraints: [
				{
					maxSkew: 1,
					topologyKey: 'zone',
					whenUnsatisfiable: 'DoNotSchedule',
					labelSelector: { matchLabels: { app: 'web' } },
				},
			],
			nodeSelector: { zone: 'a' },
		},
	});
	assert.match(lands(other, { a1: webs(1), b1: webs(0) }, { nodes }), /^on a/);
});

test('a node without the topology label is refused, and its Pods are not counted', () => {
	const shape = { nodes: [...nodes.slice(0, 1), { name: 'bare' }] };
	const pod = spread({}, { nodeSelector: { 'kubernetes.io/hostname': 'bare' } });
	assert.equal(
		lands(pod, {}, shape),
		`0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 ${NO_LABEL}.`,
	);
	assert.equal(lands(spread(), { a1: webs(3) }, shape), 'on a1');
});

test('Pods that are being deleted, or are in another namespace, are not counted', () => {
	const leaving = webs(2, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
	const all = { nodes: nodes.slice(1, 3) };
	assert.equal(lands(spread(), { a2: leaving, b1: webs(1) }, all), 'on a2');
	assert.equal(lands(spread(), { a2: webs(2, { namespace: 'other' }), b1: webs(1) }, all), 'on a2');
});

test('with fewer domains than minDomains the smallest count is 0', () => {
	const pod = spread({ minDomains: 3 });
	assert.equal(lands(pod, { a1: webs(1), b1: webs(1) }), `0/3 nodes are available: 3 ${TOO_UNEVEN}.`);
	assert.match(lands(spread({ minDomains: 2 }), { a1: webs(1), b1: webs(1) }), /^on /);
	assert.match(lands(pod, { a1: webs(1) }), /^on b1/);
});

test('nodes that do not match the node affinity are not counted, unless nodeAffinityPolicy is Ignore', () => {
	const selector = { nodeSelector: { zone: 'a' } };
	assert.match(lands(spread({}, selector), { a1: webs(3) }), /^on a/);
	assert.equal(
		lands(spread({ nodeAffinityPolicy: 'Ignore' }, selector), { a1: webs(3) }),
		`0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 ${TOO_UNEVEN}.`,
	);
});

test('tainted nodes are counted, unless nodeTaintsPolicy is Honor', () => {
	const tainted = {
		nodes: [...nodes.slice(0, 2), { ...nodes[2], spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }],
	};
	assert.equal(
		lands(spread(), { a1: webs(1) }, tainted),
		`0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 ${TOO_UNEVEN}.`,
	);
	assert.match(lands(spread({ nodeTaintsPolicy: 'Honor' }), { a1: webs(1) }, tainted), /^on a/);
});

test('a node must satisfy all constraints', () => {
	const constraint = (topologyKey: string): object => ({
		...{ maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' },
		labelSelector: { matchLabels: { app: 'web' } },
	});
	const both = { topologySpreadConstraints: [constraint('zone'), constraint('kubernetes.io/hostname')] };
	const pod = (): Pod => podOf({ labels: { app: 'web' }, spec: both });
	assert.equal(lands(pod(), { a1: webs(1), b1: webs(1) }), 'on a2');
	assert.equal(lands(pod(), { a1: webs(1) }), 'on b1');
});

test('a constraint with ScheduleAnyway refuses no node', () => {
	const pod = spread({ whenUnsatisfiable: 'ScheduleAnyway' }, { nodeSelector: { zone: 'a' } });
	assert.match(lands(pod, { a1: webs(5), a2: webs(5) }), /^on a/);
});
