import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../api/core/service/schema.ts';
import { openTestServer, refusal, type TestServer } from '../testing/server-contract-suite.ts';

const SERVICES = '/api/v1/namespaces/default/services';

async function create({ server }: TestServer, name: string, spec: object = {}, query = {}): Promise<Service> {
	const body = {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name },
		spec: { ports: [{ port: 80 }], ...spec },
	};
	const { object } = await server.request({ method: 'POST', path: SERVICES, body, query });
	return object as unknown as Service; // `as`: the path is that of Services.
}

async function patch({ server }: TestServer, name: string, spec: object): Promise<Service> {
	const contentType = 'application/merge-patch+json';
	const path = `${SERVICES}/${name}`;
	const { object } = await server.request({ method: 'PATCH', path, body: { spec }, contentType });
	return object as unknown as Service; // `as`: the path is that of a Service.
}

test('concurrent creates get different addresses and node ports', async () => {
	const world = await openTestServer();
	const names = Array.from({ length: 200 }, (_, index) => `s${index}`);
	const made = await Promise.all(names.map((name) => create(world, name, { type: 'NodePort' })));
	assert.equal(new Set(made.map(({ spec }) => spec.clusterIP)).size, 200);
	assert.equal(new Set(made.map(({ spec }) => spec.ports?.[0]?.nodePort)).size, 200);
	for (const { spec } of made) assert.match(spec.clusterIP ?? '', /^127\.96\./);
	const chosen = { clusterIP: '127.96.0.77' };
	const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => create(world, name, chosen)));
	assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
});

test('what a refused, a dry or a deleted create has taken is free, and what is stored stays taken after a restart', async () => {
	const world = await openTestServer();
	const chosen = { clusterIP: '127.96.0.77', type: 'NodePort', ports: [{ port: 80, nodePort: 30_007 }] };
	await create(world, 'dry', chosen, { dryRun: 'All' });
	const error = await refusal(create(world, 'wrong', { ...chosen, sessionAffinity: 'X' }));
	assert.match(error.message, /sessionAffinity/);
	await create(world, 'a', chosen);
	const taken = await refusal(create(world, 'b', chosen));
	assert.equal(
		taken.message,
		'Service "b" is invalid: spec.clusterIPs: Invalid value: ["127.96.0.77"]: failed to allocate IP 127.96.0.77: provided IP is already allocated',
	);
	const restarted = await openTestServer({ store: world.store });
	const { clusterIP: _, ...other } = chosen;
	assert.equal(
		(await refusal(create(restarted, 'b', other))).message,
		'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30007: provided port is already allocated',
	);
	await restarted.server.request({ method: 'DELETE', path: `${SERVICES}/a` });
	assert.equal((await create(restarted, 'b', chosen)).spec.clusterIP, '127.96.0.77');
});

test('a change of the type takes and frees what it needs', async () => {
	const world = await openTestServer();
	const first = await create(world, 'a');
	const { spec } = await patch(world, 'a', { type: 'NodePort' });
	const nodePort = spec.ports?.[0]?.nodePort ?? 0;
	assert.ok(nodePort >= 30_000 && nodePort <= 32_767);
	assert.equal(spec.clusterIP, first.spec.clusterIP);
	const alias = await patch(world, 'a', { type: 'ExternalName', externalName: 'example.com' });
	assert.deepEqual([alias.spec.clusterIP, alias.spec.ports?.[0]?.nodePort], [undefined, undefined]);
	const both = { type: 'NodePort', clusterIP: first.spec.clusterIP, ports: [{ port: 80, nodePort }] };
	assert.equal((await create(world, 'b', both)).spec.clusterIP, first.spec.clusterIP);
	const back = await patch(world, 'a', { type: 'ClusterIP', externalName: null });
	assert.match(back.spec.clusterIP ?? '', /^127\.96\./);
	assert.notEqual(back.spec.clusterIP, first.spec.clusterIP);
	const fixed = await refusal(patch(world, 'b', { clusterIP: '127.96.0.9' }));
	assert.match(
		fixed.message,
		/spec\.clusterIPs\[0\]: Invalid value: \["127\.96\.0\.9"\]: may not change once set/,
	);
});

test('every answer about Endpoints has the warning that they are deprecated', async () => {
	const { server } = await openTestServer();
	const { warnings } = await server.request({ method: 'GET', path: '/api/v1/endpoints' });
	assert.deepEqual(warnings, ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice']);
});
