import assert from 'node:assert/strict';
import test from 'node:test';
import { decode } from '../../meta/decode.ts';
import { pods } from './definition.ts';
import { podSchema } from './schema.ts';
import { VOLUME_SOURCES } from './volume-schema.ts';

/**
 * For each source of a volume an example that upstream takes, and which of its fields it cannot do without
 * (pkg/apis/core/validation, `validateVolumeSource`).
 */
const SOURCES: Readonly<Record<string, { readonly example: object; readonly needs: readonly string[] }>> = {
	emptyDir: { example: { medium: 'Memory', sizeLimit: '1Gi' }, needs: [] },
	hostPath: { example: { path: '/data', type: 'Directory' }, needs: ['path'] },
	gitRepo: { example: { repository: 'https://example.com/a.git', directory: 'a' }, needs: ['repository'] },
	gcePersistentDisk: { example: { pdName: 'disk', fsType: 'ext4' }, needs: ['pdName'] },
	awsElasticBlockStore: { example: { volumeID: 'vol-1', fsType: 'ext4' }, needs: ['volumeID'] },
	secret: { example: { secretName: 's', defaultMode: 0o400 }, needs: ['secretName'] },
	nfs: { example: { server: 'nfs', path: '/data' }, needs: ['server', 'path'] },
	iscsi: {
		example: {
			targetPortal: '10.0.0.1:3260',
			iqn: 'iqn.2001-04.com.example:storage',
			lun: 0,
			fsType: 'ext4',
		},
		needs: ['targetPortal', 'iqn'],
	},
	glusterfs: { example: { endpoints: 'gluster', path: 'data' }, needs: ['endpoints', 'path'] },
	flocker: { example: { datasetName: 'data' }, needs: [] },
	persistentVolumeClaim: { example: { claimName: 'claim', readOnly: true }, needs: ['claimName'] },
	rbd: { example: { monitors: ['10.0.0.1:6789'], image: 'data', pool: 'rbd' }, needs: ['monitors', 'image'] },
	cinder: { example: { volumeID: 'id', fsType: 'ext4' }, needs: ['volumeID'] },
	cephfs: { example: { monitors: ['10.0.0.1:6789'], path: '/data' }, needs: ['monitors'] },
	quobyte: {
		example: { registry: 'quobyte:7861', volume: 'data', user: 'root' },
		needs: ['registry', 'volume'],
	},
	downwardAPI: {
		example: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }], defaultMode: 0o400 },
		needs: [],
	},
	fc: { example: { targetWWNs: ['500a0982991b8dc5'], lun: 2, fsType: 'ext4' }, needs: [] },
	flexVolume: { example: { driver: 'example.com/driver', fsType: 'ext4' }, needs: ['driver'] },
	configMap: { example: { name: 'm', defaultMode: 0o400 }, needs: ['name'] },
	azureFile: { example: { secretName: 's', shareName: 'share' }, needs: ['secretName', 'shareName'] },
	vsphereVolume: { example: { volumePath: '[store] data.vmdk', fsType: 'ext4' }, needs: ['volumePath'] },
	photonPersistentDisk: { example: { pdID: 'id', fsType: 'ext4' }, needs: ['pdID'] },
	portworxVolume: { example: { volumeID: 'id', fsType: 'ext4' }, needs: ['volumeID'] },
	azureDisk: {
		example: { diskName: 'disk', diskURI: 'https://blob/data.vhd', fsType: 'ext4' },
		needs: ['diskName', 'diskURI'],
	},
	storageos: { example: { volumeName: 'data', fsType: 'ext4' }, needs: [] },
	projected: { example: { sources: [{ configMap: { name: 'm' } }], defaultMode: 0o400 }, needs: [] },
	scaleIO: {
		example: { gateway: 'https://10.0.0.1/api', system: 's', volumeName: 'data', secretRef: { name: 's' } },
		needs: ['gateway', 'system', 'volumeName'],
	},
	csi: { example: { driver: 'csi.example.com', fsType: 'ext4' }, needs: ['driver'] },
	ephemeral: {
		example: {
			volumeClaimTemplate: {
				spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
			},
		},
		needs: ['volumeClaimTemplate'],
	},
	image: { example: { reference: 'data:1', pullPolicy: 'Always' }, needs: [] },
};

function problems(source: string, content: object): readonly string[] {
	const json = {
		metadata: { name: 'p', namespace: 'default' },
		spec: { containers: [{ name: 'main', image: 'a:1' }], volumes: [{ name: 'v', [source]: content }] },
	};
	const pod = pods.strategy.prepareForCreate(pods.defaults(decode(podSchema, json).value));
	return pods.strategy.validateCreate(pod).map(({ field, message }) => `${field}: ${message}`);
}

/** Upstream reports this one by the name of an older type. */
function pathOf(source: string): string {
	return `spec.volumes[0].${source === 'gcePersistentDisk' ? 'persistentDisk' : source}`;
}

test('every source of a volume has a row here, and no other', () => {
	assert.deepEqual(Object.keys(SOURCES).sort(), [...VOLUME_SOURCES].sort());
});

for (const [source, { example, needs }] of Object.entries(SOURCES)) {
	test(`a volume of ${source} cannot do without ${needs.join(' and ') || 'nothing'}`, () => {
		assert.deepEqual(problems(source, example), []);
		for (const field of Object.keys(example)) {
			const { [field]: _left, ...rest } = { ...example } as Record<string, unknown>;
			const expected = needs.includes(field) ? [`${pathOf(source)}.${field}: Required value`] : [];
			assert.deepEqual(problems(source, rest), expected, `without ${field}`);
		}
		for (const field of needs) assert.ok(Object.hasOwn(example, field), field);
	});
}
