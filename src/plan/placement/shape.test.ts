import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { shapeOf } from './shape.ts';
import { podOf } from './testing/placement-world.ts';

function shape(pod: Pod, predicate = 'NodeResourcesFit', isNominated = false): string {
	return shapeOf(pod, { refusedBy: new Set([predicate]), isNominated });
}

test('Pods of one Job have the same shape, although their names and indexes differ', () => {
	const indexed = (index: string): Pod =>
		podOf({ labels: { 'batch.kubernetes.io/job-completion-index': index } });
	assert.equal(shape(indexed('1')), shape(indexed('2')));
});

test('labels are part of the shape if a predicate that reads labels refused the Pod', () => {
	const labelled = (app: string): Pod => podOf({ labels: { app } });
	for (const predicate of ['InterPodAffinity', 'PodTopologySpread'])
		assert.notEqual(shape(labelled('a'), predicate), shape(labelled('b'), predicate));
});

test('everything that placement reads is part of the shape', () => {
	const term = { labelSelector: {}, topologyKey: 'zone' };
	const variants: readonly Pod[] = [
		podOf(),
		podOf({ namespace: 'other' }),
		podOf({ requests: { cpu: '1' } }),
		podOf({ ports: [{ containerPort: 80, hostPort: 80 }] }),
		podOf({ spec: { priority: 1 } }),
		podOf({ spec: { preemptionPolicy: 'Never' } }),
		podOf({ spec: { nodeSelector: { a: 'b' } } }),
		podOf({ spec: { tolerations: [{ operator: 'Exists' }] } }),
		podOf({
			spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } },
		}),
		podOf({ spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] } }),
		podOf({ spec: { resourceClaims: [{ name: 'r', resourceClaimName: 'c' }] } }),
		podOf({
			spec: {
				topologySpreadConstraints: [
					{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
				],
			},
		}),
	];
	assert.equal(new Set(variants.map((pod) => shape(pod))).size, variants.length);
});

test('a nominated Pod has a shape of its own', () => {
	assert.notEqual(shape(podOf(), 'NodeResourcesFit', true), shape(podOf(), 'NodeResourcesFit', true));
	const nominated = (): Pod => podOf({ status: { nominatedNodeName: 'here' } });
	assert.notEqual(shape(nominated()), shape(nominated()));
});
