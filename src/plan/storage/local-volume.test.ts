import assert from 'node:assert/strict';
import test from 'node:test';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { SELECTED_NODE, STORAGE_PROVISIONER } from './annotations.ts';
import {
	LOCAL_CLASS,
	LOCAL_PROVISIONER,
	localVolume,
	planProvision,
	planRemoval,
	withoutProvisioner,
} from './local-volume.ts';

const ASKED = { [STORAGE_PROVISIONER]: LOCAL_PROVISIONER };

function claim(
	spec: object = {},
	annotations: object = { ...ASKED, [SELECTED_NODE]: 'here' },
): PersistentVolumeClaim {
	const base = {
		accessModes: ['ReadWriteOnce'],
		resources: { requests: { storage: '1Gi' } },
		storageClassName: 'local',
	};
	const metadata = { name: 'c', namespace: 'n', uid: '1-2', annotations: { ...annotations } };
	return {
		apiVersion: 'v1',
		kind: 'PersistentVolumeClaim',
		metadata,
		spec: { ...base, ...spec },
		status: {},
	};
}

test('a volume is provisioned for a claim that asks for it on this node, and only then', () => {
	assert.deepEqual(planProvision(claim(), LOCAL_CLASS, 'here'), {
		kind: 'provision',
		volumeName: 'pvc-1-2',
		folder: 'pvc-1-2_n_c',
	});
	assert.equal(planProvision(claim(), LOCAL_CLASS, 'there').kind, 'none');
	assert.equal(planProvision(claim({ volumeName: 'v' }), LOCAL_CLASS, 'here').kind, 'none');
	assert.equal(planProvision(claim({}, {}), LOCAL_CLASS, 'here').kind, 'none');
	assert.equal(planProvision(claim(), { ...LOCAL_CLASS, provisioner: 'x' }, 'here').kind, 'none');
});

test('what a folder cannot offer is refused with an event', () => {
	const rows: readonly (readonly [PersistentVolumeClaim, object, RegExp])[] = [
		[
			claim({}, ASKED),
			{ volumeBindingMode: 'Immediate' },
			/no node was selected.*and the class has Immediate$/,
		],
		[claim({ selector: {} }), {}, /claim.Spec.Selector is not supported$/],
		[claim({ volumeMode: 'Block' }), {}, /volumeMode Block is not supported/],
		[claim({ dataSource: { kind: 'x', name: 'y' } }), {}, /data sources are not supported/],
		[claim({ volumeAttributesClassName: 'x' }), {}, /volumeAttributesClassName is not supported$/],
		[claim(), { mountOptions: ['ro'] }, /mountOptions of the StorageClass are not supported/],
		[claim(), { parameters: { a: 'b' } }, /parameter "a" of the StorageClass is not supported$/],
	];
	for (const [given, fields, text] of rows) {
		const plan = planProvision(given, { ...LOCAL_CLASS, ...fields }, 'here');
		assert.ok(plan.kind === 'fail');
		assert.equal(plan.event.reason, 'ProvisioningFailed');
		assert.match(plan.event.message, text);
	}
});

function released(spec: object = {}, rest: { metadata?: object; phase?: string } = {}): PersistentVolume {
	const place = { volumeName: 'pvc-1-2', path: '/data/volumes/pvc-1-2_n_c', nodeName: 'here' };
	const made = localVolume(claim(), LOCAL_CLASS, place);
	return {
		...made,
		metadata: { ...made.metadata, ...rest.metadata },
		spec: { ...made.spec, ...spec },
		status: { phase: (rest.phase ?? 'Released') as 'Released' },
	};
}

test('only the folder of a released volume of this node is removed', () => {
	assert.deepEqual(planRemoval(released(), 'here'), { kind: 'remove', folder: 'pvc-1-2_n_c' });
	assert.equal(planRemoval(released(), 'there').kind, 'none');
	assert.equal(planRemoval(released({}, { phase: 'Bound' }), 'here').kind, 'none');
	assert.equal(planRemoval(released({}, { phase: 'Available' }), 'here').kind, 'none');
	assert.equal(planRemoval(released({ persistentVolumeReclaimPolicy: 'Retain' }), 'here').kind, 'none');
	assert.equal(planRemoval(released({}, { metadata: { annotations: {} } }), 'here').kind, 'none');
});

test('a path that a user has made up names no folder to remove', () => {
	for (const path of ['/etc', '/', '/data/volumes/..', '/data/volumes/pvc-9_n_c', '/x/pvc-1-2_n/../../etc']) {
		assert.equal(planRemoval(released({ hostPath: { path } }), 'here').kind, 'let go', path);
	}
	assert.deepEqual(planRemoval(released({ hostPath: { path: '/etc/pvc-1-2_n_c' } }), 'here'), {
		kind: 'remove',
		folder: 'pvc-1-2_n_c',
	});
});

test('a deleted volume whose policy became Retain loses its finalizer and keeps its folder', () => {
	const metadata = {
		deletionTimestamp: '2026-01-01T00:00:00Z',
		finalizers: ['external-provisioner.volume.kubernetes.io/finalizer'],
	};
	const kept = released({ persistentVolumeReclaimPolicy: 'Retain' }, { metadata });
	assert.equal(planRemoval(kept, 'here').kind, 'let go');
	assert.deepEqual(withoutProvisioner(kept), []);
	assert.equal(withoutProvisioner(released({}, { metadata: { finalizers: ['a/b'] } })), undefined);
});
