import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConfigMap } from '../../api/core/configmap/schema.ts';
import type { Namespace } from '../../api/core/namespace/schema.ts';
import { planDefaultAccount, planRootCertificate } from './namespace-objects.ts';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

function namespaceIn(phase: 'Active' | 'Terminating'): Namespace {
	return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' }, spec: {}, status: { phase } };
}

const ACTIVE = namespaceIn('Active');
const LEAVING = namespaceIn('Terminating');

function planOf(configMap: ConfigMap | undefined, namespace: Namespace | undefined = ACTIVE) {
	return planRootCertificate({ namespace, configMap, certificatePem: CERTIFICATE });
}

test('an active namespace without the account gets it, and no other namespace', () => {
	const created = planDefaultAccount(ACTIVE, undefined);
	assert.ok(created.kind === 'create');
	assert.deepEqual(created.object.metadata, { name: 'default', namespace: 'team' });
	assert.equal(planDefaultAccount(ACTIVE, created.object).kind, 'keep');
	assert.equal(planDefaultAccount(LEAVING, undefined).kind, 'keep');
	assert.equal(planDefaultAccount(undefined, undefined).kind, 'keep');
});

test('the root certificate is created, and restored once its data or description differs', () => {
	const created = planOf(undefined);
	assert.ok(created.kind === 'create');
	const { object } = created;
	assert.deepEqual(object.data, { 'ca.crt': CERTIFICATE });
	assert.match(object.metadata.annotations?.['kubernetes.io/description'] ?? '', /^Contains a CA bundle /);
	assert.equal(planOf(object).kind, 'keep');
	for (const changed of [
		{ ...object, data: { 'ca.crt': 'other' } },
		{ ...object, data: { ...object.data, more: 'x' } },
		{ ...object, metadata: { ...object.metadata, annotations: {} } },
	]) {
		const plan = planOf(changed);
		assert.ok(plan.kind === 'update');
		assert.deepEqual(plan.object, object);
	}
	const annotations = { 'kubernetes.io/description': 'own text', own: 'kept' };
	assert.equal(planOf({ ...object, metadata: { ...object.metadata, annotations } }).kind, 'keep');
	const repaired = planOf({ ...object, metadata: { ...object.metadata, annotations }, data: {} });
	assert.ok(repaired.kind === 'update');
	assert.equal(repaired.object.metadata.annotations?.own, 'kept');
});

test('a namespace that is being deleted gets no root certificate', () => {
	assert.equal(planOf(undefined, LEAVING).kind, 'keep');
	assert.equal(
		planRootCertificate({ namespace: undefined, configMap: undefined, certificatePem: '' }).kind,
		'keep',
	);
});
