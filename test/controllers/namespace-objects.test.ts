import assert from 'node:assert/strict';
import { configMaps } from '../../src/api/core/configmap/definition.ts';
import type { ConfigMap } from '../../src/api/core/configmap/schema.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import type { Namespace } from '../../src/api/core/namespace/schema.ts';
import { serviceAccounts } from '../../src/api/core/serviceaccount/definition.ts';
import type { ServiceAccount } from '../../src/api/core/serviceaccount/schema.ts';
import { startControlPlane } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';

/** The objects that controllers keep in every namespace. */

const PEM = 'the certificate\n';
const MAP = 'kube-root-ca.crt';

const exists = (object: unknown): boolean => object !== undefined;
const isPublished = (map: ConfigMap | undefined): boolean => map?.data?.['ca.crt'] === PEM;

test('every namespace gets a ServiceAccount named default, and again after its deletion', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(serviceAccounts, 'default');
	const first = await plane.until(serviceAccounts, 'default', exists);
	await target.delete('default');
	const isAnother = (account: ServiceAccount | undefined): boolean =>
		account !== undefined && account.metadata.uid !== first?.metadata.uid;
	assert.ok(await plane.until(serviceAccounts, 'default', isAnother));
});

test('the root certificate is restored after a change and after a deletion', async (t) => {
	const plane = await startControlPlane(t, undefined, { rootCertificatePem: PEM });
	const target = plane.client.resource(configMaps, 'default');
	const first = await plane.until(configMaps, MAP, isPublished);
	await target.patch(MAP, 'merge', { data: { 'ca.crt': 'forged', more: 'x' } });
	const restored = await plane.until(configMaps, MAP, isPublished);
	assert.deepEqual(restored?.data, { 'ca.crt': PEM });
	await target.delete(MAP);
	const isAnother = (map: ConfigMap | undefined): boolean =>
		isPublished(map) && map?.metadata.uid !== first?.metadata.uid;
	assert.ok(await plane.until(configMaps, MAP, isAnother));
});

test('a namespace with these objects can be deleted', async (t) => {
	const plane = await startControlPlane(t, undefined, { rootCertificatePem: PEM });
	const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' }, spec: {}, status: {} };
	const target = plane.client.resource(namespaces);
	await target.create(namespace as Namespace);
	await plane.untilIn('team', serviceAccounts, 'default', exists);
	await plane.untilIn('team', configMaps, MAP, isPublished);
	await target.delete('team');
	await plane.until(namespaces, 'team', (object) => object === undefined);
});
