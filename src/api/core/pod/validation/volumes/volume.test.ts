import test from 'node:test';
import { check, checkContainer, LABEL, MAIN } from '../testing/pod-problems.ts';

test('a volume needs a unique name and exactly one source', () => {
	const volume = (source: object): object => ({ volumes: [{ name: 'v', ...source }] });
	const at = 'spec.volumes[0]';
	const mode = 'must be a number between 0 and 0777 (octal), both inclusive';
	check([
		[{ volumes: [{ name: 'v' }, { name: 'w', hostPath: { path: '/tmp', type: 'Directory' } }] }],
		[{ volumes: [{ name: '' }] }, `${at}.name: Required value`],
		[{ volumes: [{ name: 'V' }] }, `${at}.name: Invalid value: "V": ${LABEL}`],
		[{ volumes: [{ name: 'v' }, { name: 'v' }] }, 'spec.volumes[1].name: Duplicate value: "v"'],
		[
			volume({ emptyDir: {}, hostPath: { path: '/tmp' }, secret: { secretName: 's' } }),
			`${at}.hostPath: Forbidden: may not specify more than 1 volume type`,
			`${at}.secret: Forbidden: may not specify more than 1 volume type`,
		],
		[volume({ hostPath: { path: '' } }), `${at}.hostPath.path: Required value`],
		[
			volume({ hostPath: { path: '/a/../b' } }),
			`${at}.hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
		],
		[
			volume({ hostPath: { path: '/a', type: 'Dir' } }),
			`${at}.hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"`,
		],
		[volume({ secret: {} }), `${at}.secret.secretName: Required value`],
		[volume({ configMap: {} }), `${at}.configMap.name: Required value`],
		[
			volume({ configMap: { name: 'c', defaultMode: 512 } }),
			`${at}.configMap.defaultMode: Invalid value: 512: ${mode}`,
		],
		[
			volume({
				configMap: {
					name: 'c',
					items: [
						{ key: '', path: '' },
						{ key: 'a', path: '/a' },
						{ key: 'a', path: '..a' },
					],
				},
			}),
			`${at}.configMap.items[0].key: Required value`,
			`${at}.configMap.items[0].path: Required value`,
			`${at}.configMap.items[1].path: Invalid value: "/a": must be a relative path`,
			`${at}.configMap.items[2].path: Invalid value: "..a": must not start with '..'`,
		],
		[
			volume({ downwardAPI: { items: [{ path: 'a' }] } }),
			`${at}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required`,
		],
		[
			volume({ downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'spec.nodeName' } }] } }),
			`${at}.downwardAPI.fieldRef.fieldPath: Unsupported value: "spec.nodeName": supported values: "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"`,
		],
		[
			volume({
				projected: {
					sources: [
						{ secret: { name: 's', items: [{ key: 'a', path: 'a' }] } },
						{ configMap: { name: 'c', items: [{ key: 'b', path: 'a' }] } },
					],
				},
			}),
			`${at}.projected: Invalid value: "c": conflicting duplicate paths`,
		],
		[
			volume({ persistentVolumeClaim: { claimName: '' } }),
			`${at}.persistentVolumeClaim.claimName: Required value`,
		],
		[volume({ nfs: { server: '', path: '/x' } }), `${at}.nfs.server: Required value`],
		[
			volume({ ephemeral: { volumeClaimTemplate: { spec: {} } } }),
			`${at}.ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required`,
			`${at}.ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value`,
		],
		[
			volume({ image: { reference: 'a', pullPolicy: 'x' } }),
			`${at}.image.pullPolicy: Unsupported value: "x": supported values: "Always", "IfNotPresent", "Never"`,
		],
	]);
});

test('a mount must name a valid volume and a unique path', () => {
	const mounts = (...volumeMounts: readonly object[]): object => ({ volumeMounts });
	const mount = { name: 'v', mountPath: '/v' };
	checkContainer(
		[
			[mounts(mount, { name: 'v', mountPath: '/w', subPath: 'a/b', readOnly: true })],
			[mounts({ name: 'w', mountPath: '/w' }), 'volumeMounts[0].name: Not found: "w"'],
			[
				mounts({ name: '', mountPath: '' }),
				'volumeMounts[0].name: Required value',
				'volumeMounts[0].name: Not found: ""',
				'volumeMounts[0].mountPath: Required value',
			],
			[mounts(mount, mount), 'volumeMounts[1].mountPath: Invalid value: "/v": must be unique'],
			[
				mounts({ ...mount, subPath: '/a' }),
				'volumeMounts.subPath: Invalid value: "/a": must be a relative path',
			],
			[
				mounts({ ...mount, subPath: '../a' }),
				`volumeMounts.subPath: Invalid value: "../a": must not contain '..'`,
			],
			[
				mounts({ ...mount, subPath: 'a', subPathExpr: 'b' }),
				'volumeMounts[0].subPathExpr: Invalid value: "b": subPathExpr and subPath are mutually exclusive',
			],
			[
				mounts({ ...mount, mountPropagation: 'Bidirectional' }),
				'volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers',
			],
			[
				mounts({ ...mount, recursiveReadOnly: 'Enabled' }),
				'volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true',
			],
			[
				{ volumeDevices: [{ name: 'v', devicePath: '/dev/v' }] },
				'volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
			],
		],
		{ volumes: [{ name: 'v' }] },
	);
	check([
		[
			{ volumes: [{ name: 'v', secret: {} }], containers: [{ ...MAIN, volumeMounts: [mount] }] },
			'spec.volumes[0].secret.secretName: Required value',
			'spec.containers[0].volumeMounts[0].name: Not found: "v"',
		],
	]);
});
