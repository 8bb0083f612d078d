import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../schema/decode.ts';
import { persistentVolumes } from './definition.ts';
import { type PersistentVolume, persistentVolumeSchema } from './schema.ts';

const BASE = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } };
const HOST_PATH = { hostPath: { path: '/data' } };
const known = { uid: 'u', resourceVersion: '1' };

function volume(spec: object = HOST_PATH, metadata: object = {}, status: object = {}): PersistentVolume {
	const json = { metadata: { name: 'v', ...known, ...metadata }, spec: { ...BASE, ...spec }, status };
	return persistentVolumes.defaults(decode(persistentVolumeSchema, json).value);
}

const { strategy, columns } = persistentVolumes;

function texts(errors: ReturnType<typeof strategy.validateCreate>): readonly string[] {
	return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('defaulting sets policy, mode and phase, and the fields of the sources', () => {
	const given = volume();
	const { persistentVolumeReclaimPolicy, volumeMode, hostPath } = given.spec;
	assert.deepEqual(
		{ persistentVolumeReclaimPolicy, volumeMode, hostPath },
		{
			persistentVolumeReclaimPolicy: 'Retain',
			volumeMode: 'Filesystem',
			hostPath: { path: '/data', type: '' },
		},
	);
	assert.equal(given.status.phase, 'Pending');
	assert.equal(persistentVolumes.defaults(given), given);
	assert.equal(
		volume({ iscsi: { targetPortal: 'a', iqn: 'b', lun: 0 } }).spec.iscsi?.iscsiInterface,
		'default',
	);
	const created = strategy.prepareForCreate(
		volume(HOST_PATH, { creationTimestamp: '2026-01-31T08:00:00Z' }, { phase: 'Bound' }),
	);
	assert.deepEqual(created.status, { phase: 'Pending', lastPhaseTransitionTime: '2026-01-31T08:00:00Z' });
});

const CSI = { driver: 'a.example.com', volumeHandle: 'h' };

const REFUSED: readonly (readonly [object, string])[] = [
	[{ ...HOST_PATH, accessModes: [] }, 'spec.accessModes: Required value'],
	[
		{ ...HOST_PATH, capacity: {} },
		'spec.capacity: Required value; spec.capacity: Unsupported value: null: supported values: "storage"',
	],
	[
		{ ...HOST_PATH, capacity: { storage: '-1' } },
		'spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity; spec.capacity[storage]: Invalid value: "-1": must be greater than zero',
	],
	[
		{ ...HOST_PATH, persistentVolumeReclaimPolicy: 'Burn' },
		'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
	],
	[{}, 'spec: Required value: must specify a volume type'],
	[
		{ ...HOST_PATH, nfs: { server: 's', path: '/p' } },
		'spec.nfs: Forbidden: may not specify more than 1 volume type',
	],
	[
		{ hostPath: { path: '/a/../b' } },
		'spec.hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
	],
	[
		{ hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' },
		"spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
	],
	[{ local: { path: '/a' } }, 'spec.nodeAffinity: Required value: Local volume requires node affinity'],
	[
		{ ...HOST_PATH, nodeAffinity: {} },
		'spec.nodeAffinity.required: Required value: must specify required node constraints',
	],
	[
		{ ...HOST_PATH, nodeAffinity: { required: { nodeSelectorTerms: [] } } },
		'spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term',
	],
	[{ csi: { driver: 'a' } }, 'spec.csi.volumeHandle: Required value'],
	[
		{ csi: { ...CSI, nodePublishSecretRef: { name: 's' } } },
		'spec.csi.nodePublishSecretRef.namespace: Required value',
	],
	[
		{ ...HOST_PATH, volumeAttributesClassName: '' },
		'spec.volumeAttributesClassName: Required value: an empty string is disallowed; spec.csi: Required value: has to be specified when using volumeAttributesClassName',
	],
	[
		{ cinder: { volumeID: 'i', secretRef: { name: 'a' } } },
		'spec.cinder.secretRef.namespace: Required value',
	],
	[{ glusterfs: { endpoints: '', path: 'a' } }, 'spec.glusterfs.endpoints: Required value'],
	[
		{ iscsi: { targetPortal: 'a', iqn: 'x', lun: 0 } },
		'spec.iscsi.iqn: Invalid value: "x": must be valid format',
	],
	[{ nfs: { server: '', path: '/p' } }, 'spec.nfs.server: Required value'],
	[
		{ flexVolume: { driver: 'd', options: { 'k8s.io/a': 'b' } } },
		'spec.flexVolume.options[k8s.io/a]: Invalid value: "k8s.io/a": kubernetes.io and k8s.io namespaces are reserved',
	],
];

test('a create is refused for each broken rule with the text of upstream', () => {
	assert.deepEqual(texts(strategy.validateCreate(volume())), []);
	assert.deepEqual(texts(strategy.validateCreate(volume({ csi: CSI }))), []);
	for (const [spec, text] of REFUSED) {
		assert.equal(texts(strategy.validateCreate(volume(spec))).join('; '), text, JSON.stringify(spec));
	}
	const options = { annotations: { 'volume.beta.kubernetes.io/mount-options': 'ro' } };
	assert.deepEqual(texts(strategy.validateCreate(volume(HOST_PATH, options))), [
		'metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type',
	]);
	assert.deepEqual(texts(strategy.validateCreate(volume({ nfs: { server: 's', path: '/p' } }, options))), []);
});

test('an update can change neither the source nor the mode, and node affinity only to stable labels', () => {
	const update = (spec: object, old: object): readonly string[] =>
		texts(strategy.validateUpdate(volume(spec), volume(old)));
	assert.deepEqual(
		update({ ...HOST_PATH, capacity: { storage: '2Gi' }, claimRef: { name: 'c' } }, HOST_PATH),
		[],
	);
	assert.deepEqual(update({ hostPath: { path: '/other' } }, HOST_PATH), [
		'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n',
	]);
	assert.deepEqual(update({ ...HOST_PATH, volumeMode: 'Block' }, HOST_PATH), [
		'volumeMode: Invalid value: "Block": field is immutable',
	]);
	const secret = { controllerExpandSecretRef: { name: 's', namespace: 'n' } };
	assert.deepEqual(update({ csi: { ...CSI, ...secret } }, { csi: CSI }), []);
	assert.equal(update({ csi: CSI }, { csi: { ...CSI, ...secret } }).length, 1);
	const on = (key: string, value: string): object => {
		const matchExpressions = [{ key, operator: 'In', values: [value] }];
		return { ...HOST_PATH, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } };
	};
	const beta = on('failure-domain.beta.kubernetes.io/zone', 'a');
	assert.deepEqual(update(on('topology.kubernetes.io/zone', 'a'), beta), []);
	assert.match(
		update(on('topology.kubernetes.io/zone', 'b'), beta).join(),
		/^nodeAffinity: Invalid value: \{.*\}: field is immutable, except for updating from beta label to GA$/,
	);
});

test('warnings tell of deprecated policies, labels and sources', () => {
	const given = volume({ rbd: { monitors: ['m'], image: 'i' }, persistentVolumeReclaimPolicy: 'Recycle' });
	assert.deepEqual(strategy.warnings?.(given, undefined), [
		'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
		'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
	]);
});

test('the printer columns of a volume are those of kubectl', () => {
	const cells = (given: PersistentVolume): readonly unknown[] =>
		columns.map(({ cell }) => cell(given, Date.parse('2026-01-31T08:10:00Z')));
	const spec = { ...HOST_PATH, storageClassName: 'local', claimRef: { namespace: 'default', name: 'c' } };
	const given = volume(
		spec,
		{ creationTimestamp: '2026-01-31T08:00:00Z' },
		{ phase: 'Failed', reason: 'Broken' },
	);
	assert.deepEqual(cells(given), [
		...[
			'v',
			'1Gi',
			'RWO',
			'Retain',
			'Failed',
			'default/c',
			'local',
			'<unset>',
			'Broken',
			'10m',
			'Filesystem',
		],
	]);
	assert.equal(cells(volume(HOST_PATH, { deletionTimestamp: '2026-01-31T08:00:00Z' }))[4], 'Terminating');
});
