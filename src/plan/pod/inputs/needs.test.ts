import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../testing/pod-with.ts';
import { podInputs } from './needs.ts';

test('the inputs of a Pod are those of its mounted volumes and its containers', () => {
	const pod = podWith({
		volumes: [
			{ name: 'unused', secret: { secretName: 'unused' } },
			{ name: 'scratch', emptyDir: {} },
			{ name: 'keys', secret: { secretName: 'keys', optional: true } },
			{ name: 'data', persistentVolumeClaim: { claimName: 'data', readOnly: true } },
			{ name: 'own', ephemeral: {} },
			{
				name: 'all',
				projected: {
					sources: [
						{ configMap: { name: 'settings' } },
						{ downwardAPI: { items: [] } },
						{ serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } },
					],
				},
			},
		],
		initContainers: [{ name: 'i', volumeMounts: [{ name: 'keys', mountPath: '/keys' }] }],
		containers: [
			{
				name: 'c',
				volumeMounts: ['scratch', 'own', 'all'].map((name) => ({ name, mountPath: `/${name}` })),
				volumeDevices: [{ name: 'data', devicePath: '/dev/data' }],
				envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'login', optional: true } }],
				env: [
					{ name: 'A', value: '1' },
					{ name: 'B', valueFrom: { configMapKeyRef: { name: 'settings', key: 'b' } } },
					{ name: 'C', valueFrom: { secretKeyRef: { name: 'login', key: 'c' } } },
					{ name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
				],
			},
		],
	});
	const lines = podInputs(pod).map(
		({ user, ...need }) => `${user.kind} ${user.name}: ${Object.values(need).join(' ')}`,
	);
	assert.deepEqual(lines, [
		'volume keys: secret keys true',
		'volume data: persistentVolumeClaim data',
		'volume own: persistentVolumeClaim p-own',
		'volume all: configMap settings false',
		'volume all: serviceAccountToken default vault 600',
		'container c: configMap settings false',
		'container c: secret login true',
		'container c: configMap settings false',
		'container c: secret login false',
	]);
});
