import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import {
	type ClusterShape,
	type NodeShape,
	outcomeOf,
	type PodShape,
	podOf,
} from '../testing/placement-world.ts';

const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';
const HOST = 'kubernetes.io/hostname';

/** Asserts that the Pod is placed on `good`, in both orders of the two nodes. */
function prefers(
	wanted: () => Pod,
	good: NodeShape,
	bad: NodeShape,
	placed: ClusterShape['placed'] = {},
): void {
	const nodes = [
		{ name: 'good', ...good },
		{ name: 'bad', ...bad },
	];
	for (const order of [nodes, nodes.toReversed()])
		assert.equal(outcomeOf(wanted(), { nodes: order, placed }), 'on good');
}

const asking = (cpu: string, more: PodShape = {}): Pod => podOf({ requests: { cpu }, ...more });

test('the node with more free cpu and memory is preferred', () => {
	prefers(() => asking('100m'), {}, {}, { bad: [asking('1')] });
	prefers(() => asking('100m'), {}, {}, { bad: [podOf({ requests: { memory: '1Gi' } })] });
	prefers(
		() => asking('100m'),
		{ allocatable: { cpu: '8' } },
		{},
		{ good: [asking('1')], bad: [asking('1')] },
	);
});

test('Pods without requests are spread too', () => {
	prefers(() => podOf(), {}, {}, { bad: [podOf()] });
});

test('of two equally full nodes the one with balanced cpu and memory is preferred', () => {
	const placed = {
		good: [podOf({ requests: { cpu: '1', memory: '2Gi' } })],
		bad: [podOf({ requests: { cpu: '2', memory: '0' } })],
	};
	prefers(() => podOf({ requests: { cpu: '1', memory: '2Gi' } }), {}, {}, placed);
});

test('a fuller node is preferred to one with an untolerated PreferNoSchedule taint', () => {
	const soft = { spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } };
	prefers(() => podOf(), {}, soft, { good: [asking('2')] });
	const tolerant = (): Pod => podOf({ spec: { tolerations: [{ key: 'k', operator: 'Exists' }] } });
	prefers(tolerant, soft, {}, { bad: [asking('2')] });
	const two = { spec: { taints: ['k', 'l'].map((key) => ({ key, effect: 'PreferNoSchedule' })) } };
	prefers(() => podOf(), soft, two, { good: [asking('1')] });
});

test('preferred node affinity adds the weights of the matching terms', () => {
	const term = (weight: number, key: string): object => ({
		weight,
		preference: { matchExpressions: [{ key, operator: 'Exists' }] },
	});
	const affinity = { nodeAffinity: { [PREFERRED]: [term(10, 'a'), term(1, 'b'), term(8, 'c')] } };
	const pod = (): Pod => podOf({ spec: { affinity } });
	prefers(pod, { labels: { a: '' } }, { labels: { c: '' } });
	prefers(pod, { labels: { a: '', b: '' } }, { labels: { a: '' } });
	prefers(pod, { labels: { b: '', a: '' } }, { labels: { c: '', b: '' } }, { good: [asking('1')] });
});

const about = (app: string): object => ({ labelSelector: { matchLabels: { app } }, topologyKey: HOST });
const preferring = (kind: string, app: string, weight = 50): object => ({
	affinity: { [kind]: { [PREFERRED]: [{ weight, podAffinityTerm: about(app) }] } },
});
const web = (more: PodShape = {}): Pod => podOf({ labels: { app: 'web' }, ...more });

test('preferred affinity and anti-affinity to Pods change the score of their domain', () => {
	prefers(() => podOf({ spec: preferring('podAffinity', 'web') }), {}, {}, { good: [web(), asking('1')] });
	prefers(
		() => podOf({ spec: preferring('podAntiAffinity', 'web') }),
		{},
		{},
		{ good: [asking('1')], bad: [web()] },
	);
});

test('the preferred and required affinity of Pods on nodes counts too', () => {
	const fan = podOf({ spec: preferring('podAffinity', 'web') });
	prefers(web, {}, {}, { good: [fan, asking('1')] });
	const foe = podOf({ spec: preferring('podAntiAffinity', 'web') });
	prefers(web, {}, {}, { good: [asking('1')], bad: [foe] });
	const required = { requiredDuringSchedulingIgnoredDuringExecution: [about('web')] };
	const bound = podOf({ labels: { app: 'web' }, spec: { affinity: { podAffinity: required } } });
	prefers(web, {}, {}, { good: [bound, asking('1')] });
});

test('with ScheduleAnyway the domain with fewer matching Pods is preferred', () => {
	const constraint = {
		...{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
		labelSelector: { matchLabels: { app: 'web' } },
	};
	const pod = (): Pod => web({ spec: { topologySpreadConstraints: [constraint] } });
	const [a, b] = [{ labels: { zone: 'a' } }, { labels: { zone: 'b' } }];
	prefers(pod, a, b, { good: [web(), asking('1')], bad: [web(), web(), web()] });
	prefers(pod, a, {}, { good: [asking('500m')] });
});

test('a PreferNoSchedule taint weighs more than a preferred affinity', () => {
	const preference = { matchExpressions: [{ key: 'a', operator: 'Exists' }] };
	const affinity = { nodeAffinity: { [PREFERRED]: [{ weight: 100, preference }] } };
	const tempting = { labels: { a: '' }, spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } };
	prefers(() => podOf({ spec: { affinity } }), {}, tempting);
});
