import assert from 'node:assert/strict';
import test from 'node:test';
import type { Pod } from '../../api/core/pod/schema.ts';
import { createAccount } from '../testing/account-tokens.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	refusal,
	type TestServer,
} from '../testing/server-contract-suite.ts';

async function createPod({ server }: TestServer, spec: object = {}, metadata: object = {}): Promise<Pod> {
	const pod = podNamed('p', metadata);
	const body = { ...pod, spec: { ...Object(pod.spec), ...spec } };
	// `as`: the path leads to a Pod.
	return (await server.request({ method: 'POST', path: PODS, body })).object as Pod;
}

test('a Pod runs as the default account, even before a controller has created that', async () => {
	const opened = await openTestServer();
	const { spec } = await createPod(opened);
	assert.deepEqual([spec.serviceAccountName, spec.serviceAccount], ['default', 'default']);
	assert.deepEqual([spec.volumes, spec.containers[0]?.volumeMounts], [undefined, undefined]);
	opened.server.close();
});

test('any other account must exist', async () => {
	const opened = await openTestServer();
	const error = await refusal(createPod(opened, { serviceAccountName: 'builder' }));
	assert.deepEqual(
		[error.code, error.message],
		[
			403,
			'pods "p" is forbidden: error looking up service account default/builder: serviceaccount "builder" not found',
		],
	);
	await createAccount(opened, 'builder', { imagePullSecrets: [{ name: 'pull' }] });
	const { spec } = await createPod(opened, { serviceAccountName: 'builder' });
	assert.deepEqual(spec.imagePullSecrets, [{ name: 'pull' }]);
	opened.server.close();
});

test('with mountTokens a Pod gets the volume of its account', async () => {
	const opened = await openTestServer({ mountTokens: true });
	const { spec } = await createPod(opened);
	assert.match(spec.volumes?.[0]?.name ?? '', /^kube-api-access-[a-z0-9]{5}$/);
	assert.deepEqual(spec.containers[0]?.volumeMounts, [
		{
			name: spec.volumes?.[0]?.name,
			readOnly: true,
			mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
		},
	]);
	opened.server.close();
});

test('a request that creates a Pod waits until it is known whether tokens are mounted', async () => {
	const known = Promise.withResolvers<boolean>();
	const opened = await openTestServer({ mountTokens: known.promise });
	const created = createPod(opened);
	const other = await opened.server.request({ method: 'GET', path: PODS });
	assert.deepEqual(Object(other.object).items, []);
	known.resolve(true);
	assert.equal((await created).spec.volumes?.length, 1);
	opened.server.close();
});

test('an account can limit the Secrets of its Pods, and a mirror Pod has no account', async () => {
	const opened = await openTestServer();
	const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
	const accounts = '/api/v1/namespaces/default/serviceaccounts';
	const body = { kind: 'ServiceAccount', metadata: { name: 'strict', annotations } };
	await opened.server.request({ method: 'POST', path: accounts, body });
	const volumes = [{ name: 'v', secret: { secretName: 's' } }];
	assert.equal(
		(await refusal(createPod(opened, { serviceAccountName: 'strict', volumes }))).message,
		'pods "p" is forbidden: volume with secret.secretName="s" is not allowed because service account strict does not reference that secret',
	);
	const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } };
	assert.equal(
		(await refusal(createPod(opened, { serviceAccountName: 'strict' }, mirror))).message,
		'pods "p" is forbidden: a mirror pod may not reference service accounts',
	);
	opened.server.close();
});
