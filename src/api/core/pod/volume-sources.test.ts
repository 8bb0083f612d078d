import assert from 'node:assert/strict';
import test from 'node:test';
import { FieldPath } from '../../errors/field-path.ts';
import { decode } from '../../schema/decode.ts';
import { pods } from './definition.ts';
import { VOLUME_SOURCES } from './schema/volume.ts';
import { podSchema } from './schema.ts';
import { validatePodTemplate } from './validation/pod.ts';

/**
 * For each source of a volume an example that upstream accepts, and the fields of it that upstream requires
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
	storageos: { example: { volumeName: 'data', fsType: 'ext4' }, needs: ['volumeName'] },
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
	image: { example: { reference: 'data:1', pullPolicy: 'Always' }, needs: ['reference'] },
};

const LABEL_FORM =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const SUBDOMAIN_FORM =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** The errors for a field that is left out, where upstream reports others than only "Required value". */
const OTHER_ERRORS: Readonly<Record<string, readonly string[]>> = {
	'nfs.path': [
		'spec.volumes[0].nfs.path: Required value',
		'spec.volumes[0].nfs.path: Invalid value: "": must be an absolute path',
	],
	'quobyte.registry': [
		'spec.volumes[0].quobyte.registry: Required value: must be a host:port pair or multiple pairs separated by commas',
	],
	'flocker.datasetName': [
		'spec.volumes[0].flocker: Required value: one of datasetName and datasetUUID is required',
	],
	'fc.targetWWNs': [
		'spec.volumes[0].fc.targetWWNs: Required value: must specify either targetWWNs or wwids, but not both',
	],
	'azureDisk.diskURI': [
		'spec.volumes[0].azureDisk.diskURI: Required value',
		'spec.volumes[0].azureDisk.diskURI: Unsupported value: "": supported values: "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
	],
	'csi.driver': [
		'spec.volumes[0].csi.driver: Required value',
		`spec.volumes[0].csi.driver: Invalid value: "": ${SUBDOMAIN_FORM}`,
	],
	'fc.lun': ['spec.volumes[0].fc.lun: Required value: lun is required if targetWWNs is specified'],
};

function problems(source: string, content: object): readonly string[] {
	const json = {
		metadata: { name: 'p', namespace: 'default' },
		spec: { containers: [{ name: 'main', image: 'a:1' }], volumes: [{ name: 'v', [source]: content }] },
	};
	const pod = pods.strategy.prepareForCreate(pods.defaults(decode(podSchema, json).value));
	return pods.strategy.validateCreate(pod).map(({ field, message }) => `${field}: ${message}`);
}

/** The path of a source in errors. For gcePersistentDisk upstream uses the name of the internal type. */
function pathOf(source: string): string {
	return `spec.volumes[0].${source === 'gcePersistentDisk' ? 'persistentDisk' : source}`;
}

test('the table has one row for each source of a volume', () => {
	assert.deepEqual(Object.keys(SOURCES).sort(), [...VOLUME_SOURCES].sort());
});

for (const [source, { example, needs }] of Object.entries(SOURCES)) {
	test(`a ${source} volume requires ${needs.join(' and ') || 'no field'}`, () => {
		assert.deepEqual(problems(source, example), []);
		for (const field of Object.keys(example)) {
			const { [field]: _left, ...rest } = { ...example } as Record<string, unknown>;
			const missing = `${pathOf(source)}.${field}: Required value`;
			const expected = OTHER_ERRORS[`${source}.${field}`] ?? (needs.includes(field) ? [missing] : []);
			assert.deepEqual(problems(source, rest), expected, `without ${field}`);
		}
		for (const field of needs) assert.ok(Object.hasOwn(example, field), field);
	});
}

/**
 * Contents of sources, each with the errors that upstream reports for it; none where it accepts the content.
 */
const CONTENTS: readonly (readonly [source: string, content: object, reported: readonly string[]])[] = [
	['nfs', { server: 's', path: 'p' }, ['nfs.path: Invalid value: "p": must be an absolute path']],
	[
		'gcePersistentDisk',
		{ pdName: 'd', partition: 256 },
		['persistentDisk.partition: Invalid value: 256: must be between 1 and 255, inclusive'],
	],
	[
		'awsElasticBlockStore',
		{ volumeID: 'd', partition: -1 },
		['awsElasticBlockStore.partition: Invalid value: -1: must be between 1 and 255, inclusive'],
	],
	[
		'iscsi',
		{ targetPortal: 'a', iqn: 'iqn.2001.com', lun: 256, chapAuthSession: true, initiatorName: 'a' },
		[
			'iscsi.iqn: Invalid value: "iqn.2001.com": must be valid format',
			'iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive',
			'iscsi.secretRef: Required value',
			'iscsi.initiatorname: Invalid value: "a": must be valid format starting with iqn, eui, or naa',
		],
	],
	[
		'iscsi',
		{ targetPortal: 'a', iqn: 'foo', lun: 0 },
		['iscsi.iqn: Invalid value: "foo": must be valid format starting with iqn, eui, or naa'],
	],
	[
		'iscsi',
		{ targetPortal: 'a', iqn: `eui.${'a'.repeat(16)}`, lun: 0, initiatorName: `naa.${'b'.repeat(32)}` },
		[],
	],
	[
		'fc',
		{ targetWWNs: ['a'], wwids: ['b'], lun: -1 },
		[
			'fc.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously',
			'fc.lun: Invalid value: -1: must be between 0 and 255, inclusive',
		],
	],
	['fc', { wwids: ['b'] }, []],
	[
		'gitRepo',
		{ repository: 'r', directory: '/a' },
		['gitRepo.directory: Invalid value: "/a": must be a relative path'],
	],
	[
		'gitRepo',
		{ repository: 'r', directory: 'a/../b' },
		[`gitRepo.directory: Invalid value: "a/../b": must not contain '..'`],
	],
	['cinder', { volumeID: 'v', secretRef: {} }, ['cinder.secretRef.name: Required value']],
	[
		'flexVolume',
		{
			driver: 'd',
			options: { 'a.kubernetes.io/b': '', 'K8S.io/a': '', 'k8s.io': '', 'notk8s.io/a': '', a: '' },
		},
		[
			'flexVolume.options[a.kubernetes.io/b]: Invalid value: "a.kubernetes.io/b": kubernetes.io and k8s.io namespaces are reserved',
			'flexVolume.options[K8S.io/a]: Invalid value: "K8S.io/a": kubernetes.io and k8s.io namespaces are reserved',
			'flexVolume.options[k8s.io]: Invalid value: "k8s.io": kubernetes.io and k8s.io namespaces are reserved',
		],
	],
	[
		'azureDisk',
		{ diskName: 'd', diskURI: 'http://d', cachingMode: 'Write', kind: 'Mine' },
		[
			'azureDisk.cachingMode: Unsupported value: "Write": supported values: "None", "ReadOnly", "ReadWrite"',
			'azureDisk.kind: Unsupported value: "Mine": supported values: "Dedicated", "Managed", "Shared"',
			'azureDisk.diskURI: Unsupported value: "http://d": supported values: "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"',
		],
	],
	[
		'azureDisk',
		{ diskName: 'd', diskURI: 'https://d', kind: 'Managed' },
		[
			'azureDisk.diskURI: Unsupported value: "https://d": supported values: "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"',
		],
	],
	['azureDisk', { diskName: 'd', diskURI: '/subscriptions/s', kind: 'Managed', cachingMode: 'None' }, []],
	['azureDisk', { diskName: 'd', diskURI: 'https://d', kind: 'Dedicated' }, []],
	[
		'storageos',
		{ volumeName: 'A', volumeNamespace: 'b_', secretRef: {} },
		[
			`storageos.volumeName: Invalid value: "A": ${LABEL_FORM}`,
			`storageos.volumeNamespace: Invalid value: "b_": ${LABEL_FORM}`,
			'storageos.secretRef.name: Required value',
		],
	],
	[
		'csi',
		{ driver: `${'d'.repeat(63)}_`, nodePublishSecretRef: { name: 'S' } },
		[
			'csi.driver: Too long: may not be more than 63 bytes',
			`csi.driver: Invalid value: "${'d'.repeat(63)}_": ${SUBDOMAIN_FORM}`,
			`csi.name: Invalid value: "S": ${SUBDOMAIN_FORM}`,
		],
	],
	[
		'csi',
		{ driver: 'CSI.example.com', nodePublishSecretRef: {} },
		['csi.nodePublishSecretRef.name: Required value'],
	],
	[
		'iscsi',
		{
			targetPortal: 'p'.repeat(63),
			iqn: 'eui.0123456789abcdef',
			lun: 0,
			initiatorName: 'eui.0123456789abcdef',
		},
		[
			'name: Invalid value: "v": Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.',
		],
	],
	['iscsi', { targetPortal: 'p'.repeat(63), iqn: 'eui.0123456789abcdef', lun: 0 }, []],
	[
		'quobyte',
		{ registry: 'a', volume: '' },
		[
			'quobyte.registry: Invalid value: "a": must be a host:port pair or multiple pairs separated by commas',
			'quobyte.volume: Required value',
		],
	],
	[
		'quobyte',
		{ registry: 'a:1,b', volume: 'v' },
		[
			'quobyte.registry: Invalid value: "a:1,b": must be a host:port pair or multiple pairs separated by commas',
		],
	],
	[
		'quobyte',
		{ registry: '[::1]:1', volume: 'v', tenant: 't'.repeat(65) },
		['quobyte.tenant: Required value: must be a UUID and may not exceed a length of 64 characters'],
	],
	[
		'flocker',
		{ datasetName: 'a/b', datasetUUID: 'u' },
		[
			'flocker: Invalid value: "resource": datasetName and datasetUUID can not be specified simultaneously',
			`flocker.datasetName: Invalid value: "a/b": must not contain '/'`,
		],
	],
];

for (const [source, content, reported] of CONTENTS) {
	test(`validation of ${source} with ${JSON.stringify(content)} reports ${reported.join('; ') || 'no error'}`, () => {
		assert.deepEqual(
			problems(source, content),
			reported.map((text) => `spec.volumes[0].${text}`),
		);
	});
}

test('an image volume can leave out the reference in a template but not in a Pod', () => {
	const json = {
		spec: {
			restartPolicy: 'Never',
			containers: [{ name: 'main', image: 'a' }],
			volumes: [{ name: 'v', image: {} }],
		},
	};
	const { spec } = pods.defaults(decode(podSchema, { metadata: { name: 'p' }, ...json }).value);
	const path = new FieldPath('template');
	assert.deepEqual(validatePodTemplate({ metadata: {}, spec }, path), []);
	assert.deepEqual(problems('image', {}), ['spec.volumes[0].image.reference: Required value']);
});
