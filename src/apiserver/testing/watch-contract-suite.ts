/** The behaviour of watches, the same for all transports. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ApiError } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { Seen } from './seen.ts';
import {
	openTestServer,
	PODS,
	podNamed,
	refusal,
	type TestConnection,
	type TestServer,
} from './server-contract-suite.ts';

/** Registers the tests of watches for one transport. */
export function watchContract(name: string, connect: (opened: TestServer) => Promise<TestConnection>): void {
	describe(name, () => {
		let opened: TestServer;
		let connection: TestConnection;

		beforeEach(async () => {
			opened = await openTestServer();
			connection = await connect(opened);
		});
		afterEach(async () => {
			await connection.close();
			opened.server.close();
			assert.deepEqual(opened.faults, []);
		});

		const write = async (
			method: 'POST' | 'PATCH' | 'DELETE',
			path: string,
			body?: unknown,
		): Promise<KubeObject> => {
			const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
			const { object } = await opened.server.request({ method, path, body, contentType });
			return object as KubeObject; // `as`: every path here is an object's.
		};
		const create = (pod: string, metadata = {}): Promise<KubeObject> =>
			write('POST', PODS, podNamed(pod, metadata));
		const label = (pod: string, labels: object): Promise<KubeObject> =>
			write('PATCH', `${PODS}/${pod}`, { metadata: { labels } });
		const open = (query = {}, path = PODS): Promise<Seen> => Seen.open(connection.transport, path, query);
		const revision = (): string => String(opened.store.revision);

		test('a watch from the resourceVersion of a list sends the later changes', async () => {
			await create('a');
			const seen = await open({ resourceVersion: revision() });
			const b = await create('b');
			await label('a', { x: '1' });
			await write('DELETE', `${PODS}/b`);
			assert.deepEqual(await seen.texts(3), ['ADDED b', 'MODIFIED a', 'DELETED b']);
			assert.deepEqual(seen.events[0]?.object, b);
			assert.equal(seen.events[2]?.object.metadata.resourceVersion, revision());
		});

		test('a watch without a resourceVersion first sends all existing objects', async () => {
			await create('b');
			await create('a');
			for (const query of [{}, { resourceVersion: '0' }]) {
				const seen = await open(query);
				assert.deepEqual(await seen.texts(2), ['ADDED a', 'ADDED b']);
			}
		});

		test('a bookmark ends the initial events if the client accepts bookmarks', async () => {
			await create('a');
			const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
			const seen = await open({ ...initial, allowWatchBookmarks: 'true' });
			assert.deepEqual(await seen.texts(2), ['ADDED a', 'BOOKMARK']);
			const { kind, metadata } = seen.events[1]?.object ?? {};
			assert.equal(kind, 'Pod');
			assert.deepEqual(metadata?.annotations, { 'k8s.io/initial-events-end': 'true' });
			assert.equal(metadata?.resourceVersion, revision());
		});

		test('no bookmark ends the initial events unless the client asked for them', async () => {
			await create('a');
			for (const query of [{}, { resourceVersion: '0' }]) {
				const seen = await open({ ...query, allowWatchBookmarks: 'true' });
				assert.deepEqual(await seen.texts(1), ['ADDED a']);
				const { metadata } = await label('a', { x: String(query.resourceVersion) });
				assert.deepEqual(await seen.texts(2), ['ADDED a', 'MODIFIED a']);
				assert.equal(seen.events[1]?.object.metadata.resourceVersion, metadata.resourceVersion);
			}
		});

		test('a client can opt out of initial events', async () => {
			await create('a');
			const seen = await open({ sendInitialEvents: 'false', resourceVersionMatch: 'NotOlderThan' });
			await create('b');
			assert.deepEqual(await seen.texts(1), ['ADDED b']);
		});

		test('an object that stops matching is sent as DELETED in its previous state', async () => {
			const start = { resourceVersion: revision(), labelSelector: 'x=1' };
			const seen = await open(start);
			await create('a', { labels: { x: '2' } });
			await label('a', { x: '1' });
			await label('a', { y: '1' });
			await label('a', { x: '3' });
			await write('DELETE', `${PODS}/a`);
			await create('b', { labels: { x: '1' } });
			assert.deepEqual(await seen.texts(4), ['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED b']);
			const left = seen.events[2]?.object.metadata;
			assert.deepEqual(left?.labels, { x: '1', y: '1' });
			assert.equal(Number(left?.resourceVersion), Number(revision()) - 2);
		});

		test('a watch sends only objects of its namespace and field selector', async () => {
			const seen = await open({ resourceVersion: revision(), fieldSelector: 'metadata.name!=b' });
			await create('b');
			await write('POST', '/api/v1/namespaces/kube-system/pods', podNamed('c'));
			await create('d');
			assert.deepEqual(await seen.texts(1), ['ADDED d']);
		});

		test('a watch from an old revision reads the log and then continues live', async () => {
			const resourceVersion = revision();
			// More than the change window holds.
			for (let index = 0; index < 2050; index++) await create(`p${index}`);
			const seen = await open({ resourceVersion, allowWatchBookmarks: 'true' });
			await seen.texts(2050);
			await create('last');
			const texts = await seen.texts(2051);
			assert.equal(texts[0], 'ADDED p0');
			assert.equal(texts[2049], 'ADDED p2049');
			assert.equal(texts[2050], 'ADDED last');
			assert.equal(new Set(texts).size, 2051);
			await write('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
			opened.clock.advance(60_000);
			assert.equal((await seen.texts(2052))[2051], 'BOOKMARK');
		});

		test('a watch from a compacted revision gets Expired', async () => {
			const resourceVersion = revision();
			for (let index = 0; index < 2050; index++) await create(`p${index}`);
			await opened.store.compact(opened.store.revision);
			const seen = await open({ resourceVersion });
			const error = await seen.ended();
			assert.ok(error instanceof ApiError);
			assert.equal(error.code, 410);
			assert.equal(error.reason, 'Expired');
			assert.match(error.message, /^too old resource version: \d+ \(\d+\)$/);
			assert.deepEqual(seen.events, []);
		});

		test('a watch from a future revision sends the changes after it', async () => {
			const { revision: now } = opened.store;
			const seen = await open({ resourceVersion: String(now + 2), allowWatchBookmarks: 'true' });
			opened.clock.advance(60_000);
			for (const name of ['a', 'b', 'c']) await create(name);
			assert.deepEqual(await seen.texts(1), ['ADDED c']);
		});

		test('initial events of a future revision are sent once it is reached', async () => {
			const next = opened.store.revision + 1;
			const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
			const seen = await open({ ...initial, resourceVersion: String(next) });
			await create('a');
			assert.deepEqual(await seen.texts(1), ['ADDED a']);
		});

		test('initial events of a revision that is not reached time out after three seconds', async () => {
			const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
			const seen = await open({ ...initial, resourceVersion: '999' });
			opened.clock.advance(3000);
			const error = await seen.ended();
			assert.ok(error instanceof ApiError);
			assert.equal(error.code, 504);
			assert.match(error.message, /^Timeout: Too large resource version: 999, current: \d+$/);
		});

		test('options that are not valid are rejected', async () => {
			assert.equal((await refusal(open({ resourceVersionMatch: 'Exact' }))).code, 422);
			const continued = await refusal(open({ continue: 'x' }));
			assert.equal(continued.code, 422);
			assert.match(
				continued.message,
				/resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided$/,
			);
		});

		test('watches that asked for bookmarks receive one each minute', async () => {
			const seen = await open({ resourceVersion: revision(), allowWatchBookmarks: 'true' });
			const without = await open({ resourceVersion: revision() });
			await write('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
			opened.clock.advance(60_000);
			assert.deepEqual(await seen.texts(1), ['BOOKMARK']);
			assert.equal(seen.events[0]?.object.metadata.resourceVersion, revision());
			await create('a');
			assert.deepEqual(await seen.texts(2), ['BOOKMARK', 'ADDED a']);
			assert.deepEqual(await without.texts(1), ['ADDED a']);
		});

		test('a time limit ends the watch without an error', async () => {
			const seen = await open({ resourceVersion: revision(), timeoutSeconds: '5' });
			opened.clock.advance(4_999);
			await create('a');
			await seen.texts(1);
			opened.clock.advance(1);
			assert.equal(await seen.ended(), undefined);
		});
	});
}
