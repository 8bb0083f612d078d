import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiRequest } from '../../api/contract/transport.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { openTestServer, PODS, podNamed } from '../testing/server-contract-suite.ts';

const FIELDS = [
	{
		...{ manager: 'm', operation: 'Update', apiVersion: 'v1', time: '2026-01-01T00:00:00Z' },
		...{ fieldsType: 'FieldsV1', fieldsV1: { 'f:metadata': { 'f:labels': { '.': {} } } } },
	},
];

test('stored managedFields outlive the writes of clients that do not send them', async () => {
	const { server } = await openTestServer();
	const send = async (method: ApiRequest['method'], path: string, body: object): Promise<Pod> => {
		const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
		return (await server.request({ method, path, body, contentType })).object as Pod; // `as`: all are Pods.
	};
	const created = await send('POST', PODS, podNamed('p', { managedFields: FIELDS, finalizers: ['a/b'] }));
	assert.deepEqual(created.metadata.managedFields, FIELDS);
	const { managedFields: _sent, resourceVersion: _version, ...metadata } = created.metadata;
	const writes: readonly [ApiRequest['method'], string, object][] = [
		['PUT', '', { ...created, metadata: { ...metadata, labels: { put: '' } } }],
		['PATCH', '', { metadata: { labels: { patched: '' } } }],
		['PATCH', '', { metadata: { labels: { emptied: '' }, managedFields: null } }],
		['PATCH', '/status', { status: { message: 'm' }, metadata: { managedFields: [{}] } }],
		['POST', '/binding', { metadata: { name: 'p' }, target: { name: 'n' } }],
		['DELETE', '', {}],
	];
	for (const [method, path, body] of writes) {
		await send(method, `${PODS}/p${path}`, body);
		const { object } = await server.request({ method: 'GET', path: `${PODS}/p` });
		const { managedFields } = (object as Pod).metadata; // `as`: see above.
		assert.deepEqual(managedFields, FIELDS, `${method} ${path}`);
	}
	const reset = await send('PATCH', `${PODS}/p`, { metadata: { managedFields: [{}] } });
	assert.equal(reset.metadata.managedFields, undefined);
	assert.ok(reset.metadata.labels && 'patched' in reset.metadata.labels);
	server.close();
});
