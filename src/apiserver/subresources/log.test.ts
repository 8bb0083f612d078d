import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerLogRequest } from '../../api/contract/node-api.ts';
import { pods } from '../../api/core/pod/definition.ts';
import type { ContainerState, Pod } from '../../api/core/pod/schema.ts';
import { decodeAs } from '../../api/schema/decode.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import { openTestServer, PODS, podNamed, refusal } from '../testing/server-contract-suite.ts';
import { containerOf, whyNoLog } from './log.ts';

function podWith(spec: object, status: object = {}): Pod {
	const json = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p' }, spec, status };
	return decodeAs<Pod>(pods.schema, json).value;
}

test('the container is the only one of the Pod, or the one that the query names', () => {
	const a = { name: 'a', image: 'x' };
	const b = { name: 'b', image: 'x' };
	const init = { name: 'i', image: 'x' };
	assert.equal(containerOf(podWith({ containers: [a] }), ''), 'a');
	assert.equal(containerOf(podWith({ containers: [a, b], initContainers: [init] }), 'i'), 'i');
	assert.throws(() => containerOf(podWith({ containers: [a, b] }), ''), {
		message: 'a container name must be specified for pod p, choose one of: [a b]',
	});
	assert.throws(() => containerOf(podWith({ containers: [a, b], initContainers: [init] }), ''), {
		message:
			'a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [i]',
	});
	assert.throws(() => containerOf(podWith({ containers: [a] }), 'x'), {
		message: 'container x is not valid for pod p',
	});
});

test('a container that runs or has run has a log', () => {
	const why = (state?: ContainerState, lastState?: ContainerState, previous = false): string | undefined => {
		const status = { name: 'a', image: 'x', imageID: '', ready: false, restartCount: 0, state, lastState };
		const pod = podWith({ containers: [{ name: 'a', image: 'x' }] }, { containerStatuses: [status] });
		return whyNoLog(pod, 'a', previous);
	};
	const ran = { terminated: { exitCode: 1, containerID: 'process://1' } };
	const neverRan = { terminated: { exitCode: 128, reason: 'StartError' } };
	assert.equal(why({ running: {} }), undefined);
	assert.equal(why(ran), undefined);
	assert.equal(why({ waiting: { reason: 'CrashLoopBackOff' } }, ran), undefined);
	assert.equal(why(neverRan), 'container "a" in pod "p" is terminated');
	const waiting = 'container "a" in pod "p" is waiting to start';
	assert.equal(why({ waiting: { reason: 'ContainerCreating' } }), `${waiting}: ContainerCreating`);
	assert.equal(why({ waiting: { reason: 'ErrImagePull' } }), `${waiting}: image can't be pulled`);
	assert.equal(
		why({ waiting: { reason: 'ImagePullBackOff' } }),
		`${waiting}: trying and failing to pull image`,
	);
	assert.equal(why({}), `${waiting} - no logs yet`);
	assert.equal(why({ running: {} }, ran, true), undefined);
	assert.equal(
		why({ running: {} }, undefined, true),
		'previous terminated container "a" in pod "p" not found',
	);
});

test('without container statuses the container is being created', () => {
	const pod = podWith({ containers: [{ name: 'a', image: 'x' }] });
	assert.equal(whyNoLog(pod, 'a', false), 'container "a" in pod "p" is waiting to start: ContainerCreating');
});

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
