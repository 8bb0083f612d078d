import test from 'node:test';
import { check, LABEL, SUBDOMAIN } from '../testing/pod-problems.ts';

const VOLUME = 'spec.volumes[0]';
const AT = `${VOLUME}.ephemeral.volumeClaimTemplate`;
const SPEC = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

const ephemeral = (spec: object = {}, metadata: object = {}, name = 'v'): object => ({
	volumes: [{ name, ephemeral: { volumeClaimTemplate: { metadata, spec: { ...SPEC, ...spec } } } }],
});

test('the template of a claim has only labels and annotations besides its spec', () => {
	check([
		[ephemeral({}, { labels: { a: 'b' }, annotations: { a: 'b' } })],
		[{ volumes: [{ name: 'v', ephemeral: {} }] }, `${AT}: Required value`],
		[
			ephemeral({}, { name: 'n', namespace: 'ns', uid: 'u', finalizers: ['a/b'] }),
			`${AT}.metadata.name: Forbidden: cannot be set`,
			`${AT}.metadata.namespace: Forbidden: cannot be set`,
			`${AT}.metadata.uID: Forbidden: cannot be set`,
			`${AT}.metadata.finalizers: Forbidden: cannot be set`,
		],
		[
			ephemeral({}, { labels: { a: '-' }, annotations: { 'a/b/c': '' } }),
			`${AT}.metadata.annotations: Invalid value: "a/b/c": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
			`${AT}.metadata.labels: Invalid value: "-": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
		],
	]);
});

test('access modes, size and classes of a claim are checked', () => {
	const modes = `${AT}.spec.accessModes`;
	const size = `${AT}.spec.resources[storage]`;
	check([
		[ephemeral({ accessModes: ['ReadWriteOncePod', 'ReadWriteOncePod'] })],
		[
			ephemeral({ accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] }),
			`${modes}: Forbidden: may not use ReadWriteOncePod with other access modes`,
		],
		[
			ephemeral({ accessModes: ['ReadWriteOncePod', 'Fast'] }),
			`${modes}: Unsupported value: "Fast": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"`,
		],
		[
			ephemeral({ resources: { requests: { storage: '0' } } }),
			`${size}: Invalid value: "0": must be greater than zero`,
		],
		[ephemeral({ resources: { limits: { storage: '1' } } }), `${size}: Required value`],
		[ephemeral({ storageClassName: '', volumeAttributesClassName: '' })],
		[
			ephemeral({ storageClassName: 'A', volumeAttributesClassName: 'B' }),
			`${AT}.spec.storageClassName: Invalid value: "A": ${SUBDOMAIN}`,
			`${AT}.spec.volumeAttributesClassName: Invalid value: "B": ${SUBDOMAIN}`,
		],
		[
			ephemeral({ volumeMode: 'Tape' }),
			`${AT}.spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"`,
		],
	]);
});

test('the sources of the content of a claim agree, and are complete', () => {
	const claim = { kind: 'PersistentVolumeClaim', name: 'c' };
	const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
	const core = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
	const at = `${AT}.spec.dataSource`;
	check([
		[ephemeral({ dataSource: claim, dataSourceRef: claim })],
		[ephemeral({ dataSourceRef: { ...snapshot, namespace: 'other' } })],
		[
			ephemeral({ dataSource: { kind: '', name: '' } }),
			`${at}.name: Required value`,
			`${at}.kind: Required value`,
			`${at}: Invalid value: "": ${core}`,
		],
		[
			ephemeral({ dataSource: { apiGroup: '', kind: 'VolumeSnapshot', name: 's' } }),
			`${at}: Invalid value: "VolumeSnapshot": ${core}`,
		],
		[
			ephemeral({ dataSourceRef: { ...snapshot, apiGroup: 'A', namespace: 'a.b' } }),
			`${at}Ref.apiGroup: Invalid value: "A": ${SUBDOMAIN}`,
			`${at}Ref.namespace: Invalid value: "a.b": must not contain dots`,
		],
		[
			ephemeral({ dataSource: claim, dataSourceRef: snapshot }),
			`${AT}.spec: Invalid value: {}: must match dataSourceRef`,
		],
		[
			ephemeral({ dataSource: snapshot, dataSourceRef: { ...snapshot, namespace: 'other' } }),
			`${AT}.spec: Invalid value: {}: may not be specified when dataSourceRef.namespace is specified`,
		],
	]);
});

test('the claim of an ephemeral volume has a valid name, and no other volume uses it', () => {
	const long = 'a'.repeat(63);
	const claims = { name: 'w', persistentVolumeClaim: { claimName: 'p-v' } };
	const { volumes } = ephemeral() as { readonly volumes: readonly object[] };
	check([
		[{ volumes: [claims] }],
		[ephemeral({}, {}, long)],
		[
			{ volumes: [...volumes, claims] },
			'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "p-v": must not reference a PVC that gets created for an ephemeral volume',
		],
		[
			ephemeral({}, {}, 'A'),
			`${VOLUME}.name: Invalid value: "A": PVC name "p-A": ${SUBDOMAIN}`,
			`${VOLUME}.name: Invalid value: "A": ${LABEL}`,
		],
	]);
});
