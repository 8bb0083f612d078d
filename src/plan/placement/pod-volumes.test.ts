import assert from 'node:assert/strict';
import test from 'node:test';
import { persistentVolumes } from '../../api/core/persistentvolume/definition.ts';
import { type PersistentVolume, persistentVolumeSchema } from '../../api/core/persistentvolume/schema.ts';
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import {
	type PersistentVolumeClaim,
	persistentVolumeClaimSchema,
} from '../../api/core/persistentvolumeclaim/schema.ts';
import { decode } from '../../api/schema/decode.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import { BIND_COMPLETED, SELECTED_NODE } from '../storage/annotations.ts';
import { LOCAL_CLASS } from '../storage/local-volume.ts';
import { outcomeOf, podOf, type StorageShape } from './testing/placement-world.ts';

function claim(spec: object = {}, annotations: object = {}, rest: object = {}): PersistentVolumeClaim {
	const base = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
	const metadata = { name: 'c', namespace: 'default', uid: 'u', annotations, ...rest };
	const json = { metadata, spec: { storageClassName: 'local', ...base, ...spec } };
	return persistentVolumeClaims.defaults(decode(persistentVolumeClaimSchema, json).value);
}

function volume(name: string, spec: object = {}): PersistentVolume {
	const base = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' } };
	const json = {
		metadata: { name },
		spec: { storageClassName: 'local', ...base, ...spec },
		status: { phase: 'Available' },
	};
	return persistentVolumes.defaults(decode(persistentVolumeSchema, json).value);
}

const only = (node: string): object => {
	const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }];
	return { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } };
};

const USER = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'c' } }] };
const NODES = [{ name: 'a' }, { name: 'b' }];

function outcome(storage: StorageShape, classes: readonly StorageClass[] = [LOCAL_CLASS]): string {
	return outcomeOf(podOf({ spec: USER }), { nodes: NODES, storage: { classes, ...storage } });
}

const BOUND = { [BIND_COMPLETED]: 'yes' };

test('a Pod with a bound claim is placed where its volume can be accessed', () => {
	const claims = [claim({ volumeName: 'v' }, BOUND)];
	assert.equal(outcome({ claims, volumes: [volume('v', only('b'))] }), 'on b');
	assert.equal(
		outcome({ claims, volumes: [volume('v', only('c'))] }),
		"0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.",
	);
	assert.equal(
		outcome({ claims }),
		'0/2 nodes are available: 2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).',
	);
});

test('a claim that waits for its consumer is provisioned, unless a volume or the selected node decides', () => {
	assert.match(outcome({ claims: [claim()] }), /^on [ab]$/);
	assert.equal(outcome({ claims: [claim({}, { [SELECTED_NODE]: 'b' })] }), 'on b');
	const byHand = [{ ...LOCAL_CLASS, provisioner: 'kubernetes.io/no-provisioner' }];
	const claims = [claim()];
	assert.equal(outcome({ claims, volumes: [volume('v', only('b'))] }, byHand), 'on b');
	assert.equal(
		outcome({ claims }, byHand),
		"0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
	);
	const topology = [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['b'] }] }];
	assert.equal(outcome({ claims }, [{ ...LOCAL_CLASS, allowedTopologies: topology }]), 'on b');
});

test('claims that cannot be used keep the Pod from all nodes, with the text of upstream', () => {
	const rows: readonly (readonly [readonly PersistentVolumeClaim[], string])[] = [
		[[], 'persistentvolumeclaim "c" not found'],
		[[claim({ storageClassName: '' })], 'pod has unbound immediate PersistentVolumeClaims'],
		[
			[claim({}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
			'persistentvolumeclaim "c" is being deleted',
		],
	];
	for (const [claims, text] of rows) assert.equal(outcome({ claims }), `0/2 nodes are available: ${text}.`);
});
