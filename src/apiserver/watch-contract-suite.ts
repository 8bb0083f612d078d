import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { KubeObject } from '../api/meta/object-meta.ts';
import {
	type Connection,
	openTestServer,
	PODS,
	podNamed,
	refusal,
	Seen,
	type TestServer,
} from './server-contract-suite.ts';

/** What watches tell, whichever way the API is reached. */

/** Registers the tests of watches for one way to reach the API. */
export function watchContract(name: string, connect: (opened: TestServer) => Promise<Connection>): void {
	describe(name, () => {
		let opened: TestServer;
		let connection: Connection;

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

		test('a watch from a list tells what changes from there', async () => {
			await create('a');
			const seen = await open({ resourceVersion: revision() });
			const b = await create('b');
			await label('a', { x: '1' });
			await write('DELETE', `${PODS}/b`);
			assert.deepEqual(await seen.texts(3), ['ADDED b', 'MODIFIED a', 'DELETED b']);
			assert.deepEqual(seen.events[0]?.object, b);
			assert.equal(seen.events[2]?.object.metadata.resourceVersion, revision());
		});

		test('a watch from nowhere first tells all that is there', async () => {
			await create('b');
			await create('a');
			for (const query of [{}, { resourceVersion: '0' }]) {
				const seen = await open(query);
				assert.deepEqual(await seen.texts(2), ['ADDED a', 'ADDED b']);
			}
		});

		test('a bookmark ends the initial events where the client takes bookmarks', async () => {
			await create('a');
			const initial = { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
			const seen = await open({ ...initial, allowWatchBookmarks: 'true' });
			assert.deepEqual(await seen.texts(2), ['ADDED a', 'BOOKMARK']);
			const { kind, metadata } = seen.events[1]?.object ?? {};
			assert.equal(kind, 'Pod');
			assert.deepEqual(metadata?.annotations, { 'k8s.io/initial-events-end': 'true' });
			assert.equal(metadata?.resourceVersion, revision());
		});

		test('initial events can be left out', async () => {
			await create('a');
			const seen = await open({ sendInitialEvents: 'false', resourceVersionMatch: 'NotOlderThan' });
			await create('b');
			assert.deepEqual(await seen.texts(1), ['ADDED b']);
		});

		test('what leaves the selection is deleted for the watch, as it was', async () => {
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

		test('a watch keeps to its namespace and its fields', async () => {
			const seen = await open({ resourceVersion: revision(), fieldSelector: 'metadata.name!=b' });
			await create('b');
			await write('POST', '/api/v1/namespaces/kube-system/pods', podNamed('c'));
			await create('d');
			assert.deepEqual(await seen.texts(1), ['ADDED d']);
		});

		test('a watch from an old revision catches up from the log and goes on live', async () => {
			const resourceVersion = revision();
			// More than the server's memory of past changes holds.
			for (let index = 0; index < 450; index++) await create(`p${index}`);
			const seen = await open({ resourceVersion, allowWatchBookmarks: 'true' });
			await seen.texts(450);
			await create('last');
			const texts = await seen.texts(451);
			assert.equal(texts[0], 'ADDED p0');
			assert.equal(texts[449], 'ADDED p449');
			assert.equal(texts[450], 'ADDED last');
			assert.equal(new Set(texts).size, 451);
			await write('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
			opened.clock.advance(60_000);
			assert.equal((await seen.texts(452))[451], 'BOOKMARK');
		});

		test('a revision whose history is gone has expired', async () => {
			const resourceVersion = revision();
			for (let index = 0; index < 450; index++) await create(`p${index}`);
			await opened.store.compact(opened.store.revision);
			const error = await refusal(open({ resourceVersion }));
			assert.equal(error.code, 410);
			assert.equal(error.reason, 'Expired');
			assert.match(error.message, /^too old resource version: \d+ \(\d+\)$/);
		});

		test('a revision that has not come yet is no place to start', async () => {
			assert.equal((await refusal(open({ resourceVersion: '999' }))).code, 504);
			assert.equal((await refusal(open({ resourceVersionMatch: 'Exact' }))).code, 422);
		});

		test('bookmarks come round each minute, if there is something to tell by them', async () => {
			const seen = await open({ resourceVersion: revision(), allowWatchBookmarks: 'true' });
			const without = await open({ resourceVersion: revision() });
			opened.clock.advance(60_000);
			await write('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
			opened.clock.advance(60_000);
			opened.clock.advance(60_000);
			await create('a');
			assert.deepEqual(await seen.texts(2), ['BOOKMARK', 'ADDED a']);
			assert.equal(Number(seen.events[0]?.object.metadata.resourceVersion), Number(revision()) - 1);
			assert.deepEqual(await without.texts(1), ['ADDED a']);
		});

		test('a time limit ends the watch without an error', async () => {
			const seen = await open({ resourceVersion: revision(), timeoutSeconds: '5' });
			opened.clock.advance(4_999);
			await create('a');
			await seen.texts(1);
			opened.clock.advance(1);
			assert.equal(await seen.ended.promise, undefined);
		});
	});
}
