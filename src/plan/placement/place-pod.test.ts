import assert from 'node:assert/strict';
import test from 'node:test';
import { mayHelp, placePod } from './place-pod.ts';
import { clusterOf, outcomeOf, podOf } from './testing/placement-world.ts';

test('without nodes a Pod is unschedulable', () => {
	assert.equal(outcomeOf(podOf(), { nodes: [] }), 'no nodes available to schedule pods');
});

test('the reasons of all nodes are counted and sorted as text', () => {
	const shape = {
		nodes: [
			{ name: 'a', spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } },
			...['b', 'c'].map((name) => ({ name, allocatable: { cpu: '1' } })),
			{ name: 'd', spec: { unschedulable: true } },
		],
	};
	assert.equal(
		outcomeOf(podOf({ requests: { cpu: '2' } }), shape),
		'0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient cpu.',
	);
});

test('the message has the first predicate that refuses a node, with every insufficient resource', () => {
	const tainted = { spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } };
	const pod = podOf({ requests: { cpu: '5', memory: '9Gi' } });
	assert.equal(
		outcomeOf(pod, { nodes: [tainted] }),
		'0/1 nodes are available: 1 node(s) had untolerated taint(s).',
	);
	assert.equal(outcomeOf(pod), '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.');
});

test('a Pod is placed on its nominated node if it fits there', () => {
	const shape = { nodes: [{ name: 'a' }, { name: 'b' }] };
	const busy = { ...shape, placed: { b: [podOf({ requests: { cpu: '3' } })] } };
	const nominated = podOf({ requests: { cpu: '1' }, status: { nominatedNodeName: 'b' } });
	assert.equal(outcomeOf(nominated, busy), 'on b');
	const full = { ...shape, placed: { b: [podOf({ requests: { cpu: '4' } })] } };
	assert.equal(outcomeOf(nominated, full), 'on a');
});

test('the room of a nominated Pod of the same or a higher priority is kept', () => {
	const waiting = podOf({ requests: { cpu: '3' }, spec: { priority: 10 } });
	const nominated = { here: [waiting] };
	const asking = (priority: number) => podOf({ requests: { cpu: '2' }, spec: { priority } });
	const refused = '0/1 nodes are available: 1 Insufficient cpu.';
	assert.equal(outcomeOf(asking(9), { nominated }), refused);
	assert.equal(outcomeOf(asking(10), { nominated }), refused);
	assert.equal(outcomeOf(asking(11), { nominated }), 'on here');
	assert.equal(outcomeOf(waiting, { nominated }), 'on here');
});

test('a nominated Pod counts for anti-affinity, but does not satisfy an affinity', () => {
	const terms = [{ labelSelector: { matchLabels: { app: 'a' } }, topologyKey: 'kubernetes.io/hostname' }];
	const required = { requiredDuringSchedulingIgnoredDuringExecution: terms };
	const near = podOf({ spec: { affinity: { podAffinity: required } } });
	const loner = podOf({ labels: { app: 'a' }, spec: { affinity: { podAntiAffinity: required } } });
	const nominated = { here: [loner] };
	assert.equal(
		outcomeOf(near, { nominated }),
		"0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
	);
	assert.equal(
		outcomeOf(podOf({ labels: { app: 'a' } }), { nominated }),
		"0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
	);
});

test('a Pod is retried only after a change that may affect the predicate that refused it', () => {
	const short = placePod(podOf({ requests: { cpu: '5' } }), clusterOf());
	assert.ok(short.kind === 'unschedulable');
	for (const change of ['node-added', 'node-allocatable', 'pod-gone'] as const)
		assert.ok(mayHelp(change, short.refusedBy), change);
	assert.ok(mayHelp('node-added', new Set()), 'there was no node that could have refused it');
	for (const change of ['node-labels', 'node-taints', 'pod-bound', 'pod-changed'] as const)
		assert.ok(!mayHelp(change, short.refusedBy), change);
});
