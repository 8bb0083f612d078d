import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { NodeApi } from '../../api/contract/node-api.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { ECHO_NODE } from '../testing/echo-node.ts';
import { jsonOf, listenTo, send, textOf } from '../testing/https-test-client.ts';
import { withPatience } from '../testing/seen.ts';
import { openTestServer, PODS, podNamed, type TestServer } from '../testing/server-contract-suite.ts';
import type { HttpListener } from './listener.ts';

describe('logs over HTTPS', () => {
	let opened: TestServer;
	let listener: HttpListener;

	beforeEach(async () => {
		opened = await openTestServer({ nodeApi: ECHO_NODE });
		listener = await listenTo(opened);
	});
	afterEach(async () => {
		await listener.close();
		opened.server.close();
		assert.deepEqual(opened.faults, []);
	});

	test('streams logs as they are written', async () => {
		await opened.server.request({ method: 'POST', path: PODS, body: podNamed('p') });
		const path = `${PODS}/p`;
		assert.equal(await textOf(await send(listener, 'GET', `${path}/log`)), '');
		const body = { metadata: { name: 'p' }, target: { name: 'node' } };
		await opened.server.request({ method: 'POST', path: `${path}/binding`, body });
		const early = await jsonOf(await send(listener, 'GET', `${path}/log`));
		assert.equal(early.message, 'container "main" in pod "p" is waiting to start: ContainerCreating');
		const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
		const status = { containerStatuses: [{ name: 'main', state, image: 'busybox', imageID: '' }] };
		const contentType = 'application/merge-patch+json';
		await opened.server.request({ method: 'PATCH', path: `${path}/status`, body: { status }, contentType });
		const response = await send(listener, 'GET', `${path}/log?tailLines=5&follow=true&timestamps=false`);
		assert.equal(response.headers['content-type'], 'text/plain');
		assert.deepEqual(await jsonOf(response), {
			follow: true,
			previous: false,
			timestamps: false,
			tailLines: 5,
			namespace: 'default',
			pod: 'p',
			container: 'main',
		});
	});

	test('aborts the log stream of the node when the client disconnects', async () => {
		const aborted = Promise.withResolvers<void>();
		const nodeApi: NodeApi = {
			...ECHO_NODE,
			containerLog: async ({ signal }) => {
				signal.addEventListener('abort', () => aborted.resolve());
				return (async function* () {
					yield Buffer.from('line\n');
					await aborted.promise;
				})();
			},
		};
		const following = await openTestServer({ nodeApi });
		const other = await listenTo(following);
		await startPod(following);
		const response = await send(other, 'GET', `${PODS}/p/log?follow=true`);
		response.on('error', () => {}).destroy();
		await aborted.promise;
		await other.close();
	});

	test('disconnects a client that reads nothing of a log for a minute', async () => {
		const ended = Promise.withResolvers<void>();
		const nodeApi: NodeApi = {
			...ECHO_NODE,
			containerLog: async () =>
				(async function* () {
					try {
						for (;;) yield Buffer.alloc(64 * 1024);
					} finally {
						ended.resolve();
					}
				})(),
		};
		const flooded = await openTestServer({ nodeApi });
		const clock = new VirtualClock();
		const other = await listenTo(flooded, { clock });
		await startPod(flooded);
		const response = await send(other, 'GET', `${PODS}/p/log`);
		let isOver = false;
		void ended.promise.then(() => {
			isOver = true;
		});
		const passing = (async (): Promise<void> => {
			while (!isOver) {
				clock.advance(60_000);
				await textOf(await send(other, 'GET', '/readyz'));
			}
		})();
		await withPatience(passing, () => 'the client was not cut');
		await assert.rejects(textOf(response), { code: 'ECONNRESET' });
		await other.close();
	});

	test('closes the connection of a log when the server stops, after what was written', async () => {
		const written = Promise.withResolvers<void>();
		const nodeApi: NodeApi = {
			...ECHO_NODE,
			containerLog: async ({ signal }) =>
				(async function* () {
					yield Buffer.from('line\n');
					written.resolve();
					await new Promise((resolve) => signal.addEventListener('abort', resolve));
				})(),
		};
		const followed = await openTestServer({ nodeApi });
		const other = await listenTo(followed);
		await startPod(followed);
		const response = await send(other, 'GET', `${PODS}/p/log?follow=true`);
		let text = '';
		response.on('data', (piece: Buffer) => {
			text += piece.toString();
		});
		response.on('error', () => undefined);
		const closed = new Promise((resolve) => response.on('close', resolve));
		await written.promise;
		await other.close();
		await closed;
		assert.deepEqual([response.complete, text], [false, 'line\n']);
		followed.server.close();
	});

	test('closes the connection of a log that fails, and reports the error', async () => {
		const fault = new Error('the disk is gone');
		const nodeApi: NodeApi = {
			...ECHO_NODE,
			containerLog: async () =>
				(async function* () {
					yield Buffer.from('line\n');
					throw fault;
				})(),
		};
		const broken = await openTestServer({ nodeApi });
		const other = await listenTo(broken);
		await startPod(broken);
		const read = send(other, 'GET', `${PODS}/p/log`).then(textOf);
		await assert.rejects(read, { code: 'ECONNRESET' });
		assert.deepEqual(broken.faults, [fault]);
		await other.close();
	});
});

/** Creates a Pod `p` whose container runs on a node. */
async function startPod({ server }: TestServer): Promise<void> {
	await server.request({ method: 'POST', path: PODS, body: podNamed('p') });
	const body = { metadata: { name: 'p' }, target: { name: 'node' } };
	await server.request({ method: 'POST', path: `${PODS}/p/binding`, body });
	const containerStatuses = [{ name: 'main', state: { running: {} }, image: 'busybox', imageID: '' }];
	const contentType = 'application/merge-patch+json';
	const status = { containerStatuses };
	await server.request({ method: 'PATCH', path: `${PODS}/p/status`, body: { status }, contentType });
}
