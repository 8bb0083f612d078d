import assert from 'node:assert/strict';
import test from 'node:test';
import { isRecord } from '../../base/json/json.ts';
import { openTestServer, refusal, type TestServer } from '../testing/server-contract-suite.ts';

/** The subresource `scale` of the workloads. */

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const CONTROLLERS = '/api/v1/namespaces/default/replicationcontrollers';

const SPEC = {
	replicas: 3,
	template: {
		metadata: { labels: { app: 'web' } },
		spec: { containers: [{ name: 'main', image: 'busybox' }] },
	},
};

/** Starts a server with a Deployment and a ReplicationController, both named `web`. */
async function openScaled(): Promise<TestServer> {
	const opened = await openTestServer();
	const selector = { matchLabels: { app: 'web' } };
	const create = (path: string, kind: string, spec: object): Promise<unknown> =>
		opened.server.request({ method: 'POST', path, body: { kind, metadata: { name: 'web' }, spec } });
	await create(DEPLOYMENTS, 'Deployment', { ...SPEC, selector });
	await create(CONTROLLERS, 'ReplicationController', SPEC);
	return opened;
}

async function scaleAt({ server }: TestServer, path: string): Promise<Readonly<Record<string, unknown>>> {
	const { object } = await server.request({ method: 'GET', path: `${path}/web/scale` });
	assert.ok(isRecord(object));
	return object;
}

async function generationAt({ server }: TestServer, path: string): Promise<unknown> {
	const { object } = await server.request({ method: 'GET', path: `${path}/web` });
	assert.ok(isRecord(object) && isRecord(object.metadata));
	return object.metadata.generation;
}

test('a Scale names the object, its number of Pods and its selector as text', async () => {
	const opened = await openScaled();
	for (const path of [DEPLOYMENTS, CONTROLLERS]) {
		const { metadata, ...scale } = await scaleAt(opened, path);
		assert.ok(isRecord(metadata));
		assert.deepEqual(Object.keys(metadata).sort(), [
			...['creationTimestamp', 'name', 'namespace', 'resourceVersion', 'uid'],
		]);
		assert.deepEqual(scale, {
			kind: 'Scale',
			apiVersion: 'autoscaling/v1',
			spec: { replicas: 3 },
			status: { replicas: 0, selector: 'app=web' },
		});
	}
	opened.server.close();
});

test('PUT and PATCH change the number of Pods, which counts as a new generation', async () => {
	const opened = await openScaled();
	const { server } = opened;
	const scale = await scaleAt(opened, DEPLOYMENTS);
	const path = `${DEPLOYMENTS}/web/scale`;
	const { object } = await server.request({ method: 'PUT', path, body: { ...scale, spec: { replicas: 5 } } });
	assert.ok(isRecord(object));
	assert.deepEqual(object.spec, { replicas: 5 });
	assert.equal(await generationAt(opened, DEPLOYMENTS), 2);
	for (const contentType of ['application/merge-patch+json', 'application/strategic-merge-patch+json']) {
		await server.request({ method: 'PATCH', path, contentType, body: { spec: { replicas: 0 } } });
		assert.deepEqual((await scaleAt(opened, DEPLOYMENTS)).spec, {});
	}
	const body = [{ op: 'add', path: '/spec/replicas', value: 2 }];
	await server.request({ method: 'PATCH', path, contentType: 'application/json-patch+json', body });
	assert.deepEqual((await scaleAt(opened, DEPLOYMENTS)).spec, { replicas: 2 });
	assert.equal(await generationAt(opened, DEPLOYMENTS), 4);
	server.close();
});

test('a Scale is refused that is negative, stale, or of another object', async () => {
	const opened = await openScaled();
	const { server } = opened;
	const path = `${DEPLOYMENTS}/web/scale`;
	const put = (metadata: object, replicas: number): Promise<unknown> =>
		server.request({
			method: 'PUT',
			path,
			body: { metadata: { name: 'web', ...metadata }, spec: { replicas } },
		});
	const negative = await refusal(put({}, -1));
	assert.deepEqual(
		[negative.reason, negative.message],
		[
			'Invalid',
			'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
		],
	);
	const other = await refusal(put({ uid: 'other' }, 1));
	assert.equal(other.reason, 'Conflict');
	assert.match(
		other.message,
		/^Operation cannot be fulfilled on deployments\/scale\.apps "web": Precondition failed: UID in precondition: other, UID in object meta: /,
	);
	assert.equal((await refusal(put({ resourceVersion: '1' }, 1))).reason, 'Conflict');
	assert.equal((await refusal(put({ name: 'x' }, 1))).reason, 'BadRequest');
	const missing = server.request({ method: 'GET', path: `${DEPLOYMENTS}/none/scale` });
	assert.equal((await refusal(missing)).reason, 'NotFound');
	const pod = server.request({ method: 'GET', path: '/api/v1/namespaces/default/pods/p/scale' });
	assert.equal((await refusal(pod)).reason, 'NotFound');
	assert.deepEqual((await scaleAt(opened, DEPLOYMENTS)).spec, { replicas: 3 });
	const strict = { query: { fieldValidation: 'Strict' }, contentType: 'application/merge-patch+json' };
	const unknown = server.request({ method: 'PATCH', path, ...strict, body: { spec: { count: 1 } } });
	assert.match((await refusal(unknown)).message, /unknown field "spec.count"/);
	const query = { dryRun: 'Some' };
	const text = server.request({ method: 'PATCH', path, query, contentType: 'text/plain', body: {} });
	assert.equal((await refusal(text)).reason, 'UnsupportedMediaType', 'the first error is the media type');
	server.close();
});

test('a dry run changes nothing', async () => {
	const opened = await openScaled();
	const path = `${DEPLOYMENTS}/web/scale`;
	const contentType = 'application/merge-patch+json';
	const query = { dryRun: 'All' };
	const body = { spec: { replicas: 9 } };
	const { object } = await opened.server.request({ method: 'PATCH', path, contentType, query, body });
	assert.ok(isRecord(object));
	assert.deepEqual(object.spec, { replicas: 9 });
	assert.deepEqual((await scaleAt(opened, DEPLOYMENTS)).spec, { replicas: 3 });
	opened.server.close();
});
