import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../../api/core/pod/schema.ts';
import { type ClusterShape, outcomeOf, type PodShape, podOf } from '../testing/placement-world.ts';

const HOST = 'kubernetes.io/hostname';
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';

const about = (app: string, more: object = {}): object => ({
	labelSelector: { matchLabels: { app } },
	topologyKey: HOST,
	...more,
});

function near(terms: readonly object[], more: PodShape = {}): Pod {
	return podOf({ ...more, spec: { affinity: { podAffinity: { [REQUIRED]: terms } } } });
}

function awayFrom(terms: readonly object[], more: PodShape = {}): Pod {
	return podOf({ ...more, spec: { affinity: { podAntiAffinity: { [REQUIRED]: terms } } } });
}

const web = (more: PodShape = {}): Pod => podOf({ labels: { app: 'web' }, ...more });
const zones = [
	{ name: 'a1', labels: { zone: 'a' } },
	{ name: 'a2', labels: { zone: 'a' } },
	{ name: 'b1', labels: { zone: 'b' } },
];

const NO_AFFINITY = "1 node(s) didn't match pod affinity rules";
const NO_ANTI_AFFINITY = "1 node(s) didn't match pod anti-affinity rules";
const OTHERS = "1 node(s) didn't satisfy existing pods anti-affinity rules";

function refused(pod: Pod, shape: ClusterShape, reason: string): void {
	assert.equal(outcomeOf(pod, shape), `0/1 nodes are available: ${reason}.`);
}

test('an affinity requires a matching Pod in the domain', () => {
	refused(near([about('web')]), {}, NO_AFFINITY);
	assert.equal(outcomeOf(near([about('web')]), { placed: { here: [web()] } }), 'on here');
	const shape = { nodes: zones, placed: { a1: [web()] } };
	assert.match(outcomeOf(near([about('web', { topologyKey: 'zone' })]), shape), /^on a/);
	assert.equal(
		outcomeOf(near([about('web', { topologyKey: 'zone' })]), { nodes: zones, placed: { b1: [web()] } }),
		'on b1',
	);
});

test('all terms of an affinity must match the same Pod', () => {
	const both = [about('web'), { labelSelector: { matchLabels: { tier: 'front' } }, topologyKey: HOST }];
	const apart = { placed: { here: [web(), podOf({ labels: { tier: 'front' } })] } };
	refused(near(both), apart, NO_AFFINITY);
	const together = { placed: { here: [podOf({ labels: { app: 'web', tier: 'front' } })] } };
	assert.equal(outcomeOf(near(both), together), 'on here');
});

test('the first Pod of a group with affinity to itself fits on any node', () => {
	const first = near([about('web')], { labels: { app: 'web' } });
	assert.equal(outcomeOf(first), 'on here');
	const second = near([about('web')], { labels: { app: 'web' } });
	const nodes = [{ name: 'a' }, { name: 'b' }];
	assert.equal(outcomeOf(second, { nodes, placed: { b: [first] } }), 'on b');
	const third = near([about('web')], { labels: { app: 'web' }, requests: { cpu: '4' } });
	const there = podOf({ labels: { app: 'web' }, requests: { cpu: '1' } });
	assert.equal(
		outcomeOf(third, { nodes, placed: { b: [there] } }),
		"0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod affinity rules.",
	);
});

test('not even the first Pod fits on a node without the topology label', () => {
	const first = near([about('web', { topologyKey: 'zone' })], { labels: { app: 'web' } });
	refused(first, {}, NO_AFFINITY);
});

test('an anti-affinity refuses the domains of matching Pods', () => {
	refused(awayFrom([about('web')]), { placed: { here: [web()] } }, NO_ANTI_AFFINITY);
	assert.equal(outcomeOf(awayFrom([about('db')]), { placed: { here: [web()] } }), 'on here');
	const shape = { nodes: zones, placed: { a1: [web()] } };
	assert.equal(outcomeOf(awayFrom([about('web', { topologyKey: 'zone' })]), shape), 'on b1');
	assert.equal(
		outcomeOf(awayFrom([about('web', { topologyKey: 'rack' })]), { placed: { here: [web()] } }),
		'on here',
	);
});

test('one matching term of an anti-affinity is enough', () => {
	const pod = awayFrom([about('db'), about('web')]);
	refused(pod, { placed: { here: [web()] } }, NO_ANTI_AFFINITY);
});

test('an anti-affinity of a Pod on a node refuses matching Pods', () => {
	refused(web(), { placed: { here: [awayFrom([about('web')])] } }, OTHERS);
	assert.equal(outcomeOf(podOf(), { placed: { here: [awayFrom([about('web')])] } }), 'on here');
	const loner = awayFrom([about('web', { topologyKey: 'zone' })]);
	assert.equal(outcomeOf(web(), { nodes: zones, placed: { a2: [loner] } }), 'on b1');
});

test('a Pod that is being deleted still counts for affinity', () => {
	const leaving = web({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
	refused(awayFrom([about('web')]), { placed: { here: [leaving] } }, NO_ANTI_AFFINITY);
});

test('a term applies to the namespace of its Pod, unless it names others', () => {
	const elsewhere = web({ namespace: 'other' });
	const placed = { here: [elsewhere] };
	assert.equal(outcomeOf(awayFrom([about('web')]), { placed }), 'on here');
	refused(awayFrom([about('web', { namespaces: ['other'] })]), { placed }, NO_ANTI_AFFINITY);
	assert.equal(outcomeOf(awayFrom([about('web', { namespaces: ['third'] })]), { placed }), 'on here');
});

test('a namespace selector matches labels of namespaces; an empty one matches all', () => {
	const placed = { here: [web({ namespace: 'other' })] };
	const namespaces = { other: { team: 'red' } };
	const red = { namespaceSelector: { matchLabels: { team: 'red' } } };
	const blue = { namespaceSelector: { matchLabels: { team: 'blue' } } };
	refused(awayFrom([about('web', red)]), { placed, namespaces }, NO_ANTI_AFFINITY);
	assert.equal(outcomeOf(awayFrom([about('web', blue)]), { placed, namespaces }), 'on here');
	refused(awayFrom([about('web', { namespaceSelector: {} })]), { placed }, NO_ANTI_AFFINITY);
	assert.equal(outcomeOf(awayFrom([about('web', blue)]), { placed: { here: [web()] } }), 'on here');
	refused(
		awayFrom([about('web', { ...blue, namespaces: ['default'] })]),
		{ placed: { here: [web()] } },
		NO_ANTI_AFFINITY,
	);
});

test('the namespace selector of a Pod on a node is matched with the namespace of the Pod to place', () => {
	const loner = awayFrom([about('web', { namespaceSelector: { matchLabels: { team: 'red' } } })]);
	const shape = { placed: { here: [loner] }, namespaces: { other: { team: 'red' } } };
	refused(web({ namespace: 'other' }), shape, OTHERS);
	assert.equal(outcomeOf(web(), shape), 'on here');
});

test('a term without a selector matches no Pod, one with an empty selector all Pods', () => {
	const placed = { here: [podOf()] };
	assert.equal(outcomeOf(awayFrom([{ topologyKey: HOST }]), { placed }), 'on here');
	refused(awayFrom([{ topologyKey: HOST, labelSelector: {} }]), { placed }, NO_ANTI_AFFINITY);
});
