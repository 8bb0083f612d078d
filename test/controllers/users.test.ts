import assert from 'node:assert/strict';
import test from 'node:test';
import { jobs } from '../../src/api/batch/job/definition.ts';
import type { Job } from '../../src/api/batch/job/schema.ts';
import type { ApiTransport } from '../../src/api/contract/transport.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import { startControlPlane } from '../support/control-plane.ts';

test('the controllers and the scheduler send requests as upstream users', async (t) => {
	const users = new Map<string, string>();
	const { client, addNode } = await startControlPlane(t, undefined, {
		reach: async (api): Promise<ApiTransport> => ({
			request: (request) => {
				const { method, path, user } = request;
				users.set(
					`${method} ${path.split('/').slice(0, 6).join('/')}/${path.split('/')[7] ?? ''}`,
					user?.name ?? '',
				);
				return api.request(request);
			},
			watch: (request, sink) => {
				users.set('watch', request.user?.name ?? '');
				return api.watch(request, sink);
			},
			stream: (request) => api.stream(request),
			duplex: (request) => api.duplex(request),
		}),
	});
	await addNode('n', 4);
	const bound = Promise.withResolvers<void>();
	const watch = await client.resource(pods, 'default').watch(
		{},
		{
			events: (batch) => batch.some(({ object }) => object.spec.nodeName) && bound.resolve(),
			ended: (error) => bound.reject(error),
		},
	);
	const spec = {
		template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } },
	};
	const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'j' }, spec } as unknown as Job;
	await client.resource(jobs, 'default').create(job);
	await bound.promise;
	watch.stop();
	assert.equal(users.get('watch'), 'system:kube-controller-manager');
	assert.equal(users.get('POST /api/v1/namespaces/default/pods/'), 'system:kube-controller-manager');
	assert.equal(users.get('POST /api/v1/namespaces/default/pods/binding'), 'system:kube-scheduler');
	assert.deepEqual([...new Set(users.values())].sort(), [
		'system:kube-controller-manager',
		'system:kube-scheduler',
	]);
});
