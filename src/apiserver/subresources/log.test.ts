import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerLogRequest } from '../../api/contract/node-api.ts';
import type { ContainerState } from '../../api/core/pod/schema.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';

test('options that are not valid are rejected', async () => {
	const { server } = await openTestServer({ nodeApi: ECHO_NODE });
	await server.request({ method: 'POST', path: PODS, body: podNamed('p') });
	const ask = (query: Record<string, string>): Promise<unknown> =>
		server.stream({ method: 'GET', path: `${PODS}/p/log`, query });
	assert.equal((await refusal(ask({ tailLines: '-1' }))).code, 422);
	assert.equal((await refusal(ask({ limitBytes: '0' }))).code, 422);
	assert.equal((await refusal(ask({ sinceSeconds: '1', sinceTime: '2026-01-01T00:00:00Z' }))).code, 422);
	assert.equal((await refusal(ask({ sinceTime: 'yesterday' }))).code, 400);
	assert.equal((await refusal(server.stream({ method: 'GET', path: `${PODS}/q/log` }))).code, 404);
	assert.equal((await refusal(server.stream({ method: 'GET', path: `${PODS}/p` }))).code, 404);
	await ask({ tailLines: '0' });
});

test('a node agent that is not connected is reported', async () => {
	const { server } = await openTestServer();
	await server.request({ method: 'POST', path: PODS, body: podNamed('p') });
	const body = { metadata: { name: 'p' }, target: { name: 'gone' } };
	await server.request({ method: 'POST', path: `${PODS}/p/binding`, body });
	const state = { running: {} } satisfies ContainerState;
	const status = { containerStatuses: [{ name: 'main', state, image: 'x', imageID: '' }] };
	const contentType = 'application/merge-patch+json';
	await server.request({ method: 'PATCH', path: `${PODS}/p/status`, body: { status }, contentType });
	const error = await refusal(server.stream({ method: 'GET', path: `${PODS}/p/log` }));
	assert.equal(error.message, 'the node "gone" of pod "p" cannot be reached');
});

test('the node agent receives the options of the query', async () => {
	let asked: ContainerLogRequest | undefined;
	const { server } = await openTestServer({
		nodeApi: {
			...ECHO_NODE,
			containerLog: (request) => {
				asked = request;
				return ECHO_NODE.containerLog(request);
			},
		},
	});
	await server.request({ method: 'POST', path: PODS, body: podNamed('p') });
	const body = { metadata: { name: 'p' }, target: { name: 'node' } };
	await server.request({ method: 'POST', path: `${PODS}/p/binding`, body });
	const lastState = { terminated: { exitCode: 0, containerID: 'process://1' } };
	const status = { containerStatuses: [{ name: 'main', lastState, image: 'x', imageID: '' }] };
	const contentType = 'application/merge-patch+json';
	await server.request({ method: 'PATCH', path: `${PODS}/p/status`, body: { status }, contentType });
	const { signal } = new AbortController();
	const query = {
		container: 'main',
		previous: 'true',
		sinceSeconds: '9',
		limitBytes: '100',
		timestamps: 'true',
	};
	await server.stream({ method: 'GET', path: `${PODS}/p/log`, query, signal });
	const { signal: given, ...rest } = asked ?? {};
	assert.equal(given, signal);
	assert.deepEqual(rest, {
		namespace: 'default',
		pod: 'p',
		container: 'main',
		follow: false,
		previous: true,
		timestamps: true,
		sinceSeconds: 9,
		limitBytes: 100,
	});
});
