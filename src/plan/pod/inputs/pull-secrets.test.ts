import assert from 'node:assert/strict';
import test from 'node:test';
import type { Secret } from '../../../api/core/secret/schema.ts';
import { type PodPullSecret, pullSecretOf } from './pull-secrets.ts';

const TEXT = '{"auths":{"é.example":{}}}';
const VALUE = Buffer.from(TEXT).toString('base64');

function secret(type: string, key: string, value = VALUE): PodPullSecret | undefined {
	const metadata: Secret['metadata'] = { name: 'key', namespace: 'ns', uid: 'u' };
	return pullSecretOf({ apiVersion: 'v1', kind: 'Secret', metadata, type, data: { [key]: value } });
}

test('both types of Secrets have credentials, each under its key', () => {
	const found = { uid: 'u', namespace: 'ns', name: 'key', text: TEXT };
	assert.deepEqual(secret('kubernetes.io/dockerconfigjson', '.dockerconfigjson'), {
		...found,
		isLegacy: false,
	});
	assert.deepEqual(secret('kubernetes.io/dockercfg', '.dockercfg'), { ...found, isLegacy: true });
});

test('a Secret of another type, or without the key of its own, has none', () => {
	assert.equal(secret('Opaque', '.dockerconfigjson'), undefined);
	assert.equal(secret('kubernetes.io/dockercfg', '.dockerconfigjson'), undefined);
	assert.equal(secret('kubernetes.io/dockerconfigjson', '.dockerconfigjson', ''), undefined);
});
