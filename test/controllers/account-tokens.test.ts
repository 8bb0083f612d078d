import assert from 'node:assert/strict';
import { secrets } from '../../src/api/core/secret/definition.ts';
import type { Secret } from '../../src/api/core/secret/schema.ts';
import { serviceAccounts } from '../../src/api/core/serviceaccount/definition.ts';
import { isRecord } from '../../src/base/json/json.ts';
import { type ControlPlane, startControlPlane } from '../support/control-plane.ts';
import { test } from '../support/transports.ts';

/** Secrets with the tokens of ServiceAccounts, from their creation to the use of the token. */

const NAME = 'kubernetes.io/service-account.name';
const TYPE = 'kubernetes.io/service-account-token';

function tokenSecret(account: string): Secret {
	const metadata = { name: 'robot-token', annotations: { [NAME]: account } };
	return { apiVersion: 'v1', kind: 'Secret', type: TYPE, metadata };
}

async function createAccount(plane: ControlPlane): Promise<void> {
	const target = plane.client.resource(serviceAccounts, 'default');
	const secretsOf = [{ name: 'robot-token' }, { name: 'other' }];
	await target.create({
		apiVersion: 'v1',
		kind: 'ServiceAccount',
		metadata: { name: 'robot' },
		secrets: secretsOf,
	});
}

const hasToken = (secret: Secret | undefined): boolean => secret?.data?.token !== undefined;

/** What a TokenReview finds about the token. */
async function review(plane: ControlPlane, token: string): Promise<Readonly<Record<string, unknown>>> {
	const path = '/apis/authentication.k8s.io/v1/tokenreviews';
	const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
	const { object } = await plane.client.transport.request({ method: 'POST', path, body });
	return isRecord(object) && isRecord(object.status) ? object.status : assert.fail('no status');
}

test('a Secret for a ServiceAccount gets a token that authenticates it until the Secret is deleted', async (t) => {
	const plane = await startControlPlane(t, undefined, { rootCertificatePem: 'pem' });
	await createAccount(plane);
	const target = plane.client.resource(secrets, 'default');
	await target.create(tokenSecret('robot'));
	const filled = await plane.until(secrets, 'robot-token', hasToken);
	const { token = '', namespace = '', 'ca.crt': certificate = '' } = filled?.data ?? {};
	const text = (value: string): string => Buffer.from(value, 'base64').toString();
	assert.deepEqual([text(namespace), text(certificate)], ['default', 'pem']);
	const found = await review(plane, text(token));
	assert.equal(found.authenticated, true, JSON.stringify(found));
	assert.ok(isRecord(found.user));
	assert.equal(found.user.username, 'system:serviceaccount:default:robot');
	await target.delete('robot-token');
	const after = await review(plane, text(token));
	assert.match(String(after.error), /Token has been invalidated/);
	const account = await plane.until(serviceAccounts, 'robot', (each) => each?.secrets?.length === 1);
	assert.deepEqual(account?.secrets, [{ name: 'other' }]);
});

test('a removed token is made anew, and the old one is not valid any more', async (t) => {
	const plane = await startControlPlane(t);
	await createAccount(plane);
	const target = plane.client.resource(secrets, 'default');
	await target.create(tokenSecret('robot'));
	const first = await plane.until(secrets, 'robot-token', hasToken);
	assert.equal(first?.data?.['ca.crt'], undefined, 'there is no certificate');
	await target.patch('robot-token', 'merge', { data: { token: Buffer.from('forged').toString('base64') } });
	const old = Buffer.from(first?.data?.token ?? '', 'base64').toString();
	assert.match(String((await review(plane, old)).error), /Token does not match server's copy/);
	await target.patch('robot-token', 'merge', { data: { token: null } });
	assert.ok(await plane.until(secrets, 'robot-token', hasToken));
});

test('a Secret is deleted with its account, and if there never was one', async (t) => {
	const plane = await startControlPlane(t);
	const target = plane.client.resource(secrets, 'default');
	await target.create(tokenSecret('missing'));
	await plane.until(secrets, 'robot-token', (secret) => secret === undefined);
	await createAccount(plane);
	await target.create(tokenSecret('robot'));
	await plane.until(secrets, 'robot-token', hasToken);
	await plane.client.resource(serviceAccounts, 'default').delete('robot');
	await plane.until(secrets, 'robot-token', (secret) => secret === undefined);
});
