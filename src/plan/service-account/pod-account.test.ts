import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { ServiceAccount } from '../../api/core/serviceaccount/schema.ts';
import {
	accountNameOf,
	isMirrorPod,
	refusalBySecrets,
	refusalOfMirrorPod,
	withAccount,
} from './pod-account.ts';

const PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const NAME = 'kube-api-access-abcde';

function podOf(spec: object = {}, annotations?: object): Pod {
	const containers = [{ name: 'main', image: 'a' }];
	// `as`: the rules read no other field of the Pod.
	return {
		apiVersion: 'v1',
		kind: 'Pod',
		metadata: { name: 'p', annotations },
		spec: { containers, ...spec },
		status: {},
	} as unknown as Pod;
}

function account(fields: object = {}, annotations?: Readonly<Record<string, string>>): ServiceAccount {
	const metadata = { name: 'builder', ...(annotations && { annotations }) };
	return { apiVersion: 'v1', kind: 'ServiceAccount', metadata, ...fields };
}

const MOUNT = { name: NAME, readOnly: true, mountPath: PATH };

test('a Pod that names no account gets the default one, in both fields', () => {
	const { spec } = withAccount(podOf(), { account: undefined, volumeName: undefined });
	assert.deepEqual([spec.serviceAccountName, spec.serviceAccount], ['default', 'default']);
	assert.equal(spec.volumes, undefined);
	const named = podOf({ serviceAccountName: 'builder', serviceAccount: 'builder' });
	assert.deepEqual(withAccount(named, { account: account(), volumeName: undefined }), named);
	assert.deepEqual([accountNameOf(named), accountNameOf(podOf())], ['builder', 'default']);
});

test('a Pod without image pull secrets gets those of its account', () => {
	const setup = {
		account: account({ imagePullSecrets: [{ name: 'a' }, { name: 'b' }] }),
		volumeName: undefined,
	};
	assert.deepEqual(withAccount(podOf(), setup).spec.imagePullSecrets, [{ name: 'a' }, { name: 'b' }]);
	const own = podOf({ imagePullSecrets: [{ name: 'c' }] });
	assert.deepEqual(withAccount(own, setup).spec.imagePullSecrets, [{ name: 'c' }]);
});

test('the token is mounted in each container that has nothing at its path', () => {
	const taken = [{ name: 'own', mountPath: PATH }];
	const other = [{ name: 'own', mountPath: '/data' }];
	const { spec } = withAccount(
		podOf({
			volumes: [{ name: 'own', emptyDir: {} }],
			initContainers: [{ name: 'init', image: 'a' }],
			containers: [
				{ name: 'main', image: 'a', volumeMounts: other },
				{ name: 'second', image: 'a', volumeMounts: taken },
			],
		}),
		{ account: account(), volumeName: NAME },
	);
	assert.deepEqual(spec.initContainers?.[0]?.volumeMounts, [MOUNT]);
	assert.deepEqual(
		spec.containers.map(({ volumeMounts }) => volumeMounts),
		[[...other, MOUNT], taken],
	);
	assert.deepEqual(spec.volumes, [
		{ name: 'own', emptyDir: {} },
		{
			name: NAME,
			projected: {
				defaultMode: 420,
				sources: [
					{ serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
					{ configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
					{
						downwardAPI: {
							items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
						},
					},
				],
			},
		},
	]);
});

test('a volume with the prefix of token volumes is used instead of a new one', () => {
	const volumes = [{ name: 'kube-api-access-own', emptyDir: {} }];
	const { spec } = withAccount(podOf({ volumes }), { account: account(), volumeName: NAME });
	assert.deepEqual(spec.volumes, volumes);
	assert.equal(spec.containers[0]?.volumeMounts?.[0]?.name, 'kube-api-access-own');
});

test('no volume is added if no container mounts it, or if Pod or account opt out', () => {
	const volumesOf = (pod: Pod, given: ServiceAccount | undefined): unknown =>
		withAccount(pod, { account: given, volumeName: NAME }).spec.volumes;
	const volumeMounts = [{ name: 'own', mountPath: PATH }];
	const full = podOf({ containers: [{ name: 'main', image: 'a', volumeMounts }] });
	assert.equal(volumesOf(full, account()), undefined);
	const out = { automountServiceAccountToken: false };
	const on = { automountServiceAccountToken: true };
	assert.equal(volumesOf(podOf(out), account(on)), undefined);
	assert.equal(volumesOf(podOf(), account(out)), undefined);
	assert.ok(volumesOf(podOf(on), account(out)));
	assert.ok(volumesOf(podOf(), undefined));
});

test('an account with the annotation limits its Pods to its Secrets', () => {
	const strict = account(
		{ secrets: [{ name: 'ok' }], imagePullSecrets: [{ name: 'pull' }] },
		{ 'kubernetes.io/enforce-mountable-secrets': 'true' },
	);
	const env = (name: string): object => ({
		env: [{ name: 'E', valueFrom: { secretKeyRef: { name, key: 'k' } } }],
	});
	const from = (name: string): object => ({ envFrom: [{ secretRef: { name } }] });
	const container = (fields: object): object => ({ containers: [{ name: 'c', image: 'a', ...fields }] });
	const init = (fields: object): object => ({ initContainers: [{ name: 'i', image: 'a', ...fields }] });
	const end = 'is not allowed because service account builder does not reference that secret';
	const rows: readonly (readonly [spec: object, refusal: string | undefined])[] = [
		[{ volumes: [{ name: 'v', secret: { secretName: 'ok' } }] }, undefined],
		[{ volumes: [{ name: 'v', secret: { secretName: 'no' } }] }, `volume with secret.secretName="no" ${end}`],
		[container(env('ok')), undefined],
		[container(env('no')), `container c with envVar E referencing secret.secretName="no" ${end}`],
		[container(from('no')), `container c with envFrom referencing secret.secretName="no" ${end}`],
		[init(env('no')), `init container i with envVar E referencing secret.secretName="no" ${end}`],
		[init(from('no')), `init container i with envFrom referencing secret.secretName="no" ${end}`],
		[{ imagePullSecrets: [{ name: 'pull' }] }, undefined],
		[
			{ imagePullSecrets: [{ name: 'pull' }, { name: 'no' }] },
			'imagePullSecrets[1].name="no" is not allowed because service account builder does not reference that imagePullSecret',
		],
	];
	for (const [spec, refusal] of rows) {
		assert.equal(refusalBySecrets(podOf(spec), strict), refusal);
		assert.equal(refusalBySecrets(podOf(spec), account()), undefined);
	}
	const off = account({}, { 'kubernetes.io/enforce-mountable-secrets': 'no' });
	assert.equal(refusalBySecrets(podOf(container(env('no'))), off), undefined);
});

test('a mirror Pod must not use an account, its Secrets or its token', () => {
	assert.ok(isMirrorPod(podOf({}, { 'kubernetes.io/config.mirror': 'x' })));
	assert.ok(!isMirrorPod(podOf()));
	const projected = (source: object): object => ({
		volumes: [{ name: 'v', projected: { sources: [source] } }],
	});
	const secrets = 'a mirror pod may not reference secrets';
	const rows: readonly (readonly [spec: object, refusal: string | undefined])[] = [
		[{}, undefined],
		[{ serviceAccountName: 'default' }, 'a mirror pod may not reference service accounts'],
		[{ imagePullSecrets: [{ name: 'a' }] }, secrets],
		[{ volumes: [{ name: 'v', secret: { secretName: 'a' } }] }, secrets],
		[projected({ secret: { name: 'a' } }), secrets],
		[{ containers: [{ name: 'c', image: 'a', envFrom: [{ secretRef: { name: 'a' } }] }] }, secrets],
		[
			projected({ serviceAccountToken: { path: 't' } }),
			'a mirror pod may not use ServiceAccountToken volume projections',
		],
	];
	for (const [spec, refusal] of rows) assert.equal(refusalOfMirrorPod(podOf(spec)), refusal);
});
