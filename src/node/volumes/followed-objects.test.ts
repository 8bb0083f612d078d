import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiWatchSink } from '../../api/contract/transport.ts';
import { configMaps } from '../../api/core/configmap/definition.ts';
import type { ConfigMap } from '../../api/core/configmap/schema.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { nextTurn } from '../../base/turn.ts';
import type { Client } from '../../client/client.ts';
import { FollowedObjects } from './followed-objects.ts';

const SETTINGS = { namespace: 'ns', name: 'settings' };

function version(resourceVersion: string, data: Readonly<Record<string, string>>): ConfigMap {
	return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...SETTINGS, resourceVersion }, data };
}

/** A server with one ConfigMap, which answers lists once `listed` is resolved. */
function server(listed: Promise<void> = Promise.resolve()) {
	const calls: string[] = [];
	const sinks: ApiWatchSink<ConfigMap>[] = [];
	const source = {
		list: async ({ fieldSelector }: { fieldSelector?: string }) => {
			calls.push(`list ${fieldSelector}`);
			await listed;
			return { metadata: { resourceVersion: '5' }, items: [version('4', { a: '1' })] };
		},
		watch: async (_: unknown, sink: ApiWatchSink<ConfigMap>) => {
			calls.push('watch');
			sinks.push(sink);
			return { stop: () => void calls.push('stop') };
		},
	};
	return { client: { resource: () => source } as unknown as Client, calls, sinks };
}

function followed(client: Client) {
	const changed: string[] = [];
	const clock = new VirtualClock();
	const objects = new FollowedObjects(configMaps, {
		...{ client, clock, random: new SeededRandom(1) },
		changed: (uid) => void changed.push(uid),
		onError: (about, error) => assert.fail(`${about}: ${error}`),
	});
	return { objects, changed, clock };
}

async function turns(): Promise<void> {
	for (let turn = 0; turn < 5; turn++) await nextTurn();
}

test('all Pods that name an object share its watch, which ends with the last one', async () => {
	const { client, calls, sinks } = server();
	const { objects, changed } = followed(client);
	for (const uid of ['a', 'b']) objects.follow(uid, SETTINGS);
	assert.equal((await objects.read(SETTINGS))?.data?.a, '1');
	await turns();
	assert.deepEqual(calls, ['list metadata.name=settings', 'watch']);
	assert.deepEqual(changed, [], 'the first list is no change');
	sinks[0]?.events([{ type: 'MODIFIED', object: version('6', { a: '2' }) }]);
	assert.deepEqual(changed, ['a', 'b']);
	assert.equal((await objects.read(SETTINGS))?.data?.a, '2');
	objects.forget('a');
	sinks[0]?.events([{ type: 'DELETED', object: version('7', {}) }]);
	assert.deepEqual(changed.slice(2), ['b']);
	assert.equal(await objects.read(SETTINGS), undefined);
	objects.forget('b');
	await turns();
	assert.equal(calls.at(-1), 'stop');
	await assert.rejects(objects.read(SETTINGS), /is not followed/);
});

test('a read does not wait for ever, and the list that it did not wait for is a change', async () => {
	const listed = Promise.withResolvers<void>();
	const { client } = server(listed.promise);
	const { objects, changed, clock } = followed(client);
	objects.follow('a', SETTINGS);
	const read = objects.read(SETTINGS);
	clock.advance(1000);
	await assert.rejects(read, {
		message: 'failed to sync configmap cache: timed out waiting for the condition',
	});
	listed.resolve();
	await turns();
	assert.deepEqual(changed, ['a']);
	assert.equal((await objects.read(SETTINGS))?.data?.a, '1');
	objects.stop();
});

test('a name that no object can have is escaped in the selector', async () => {
	const { client, calls } = server();
	const { objects } = followed(client);
	objects.follow('a', { namespace: 'ns', name: 'a,b=c' });
	await turns();
	assert.equal(calls[0], 'list metadata.name=a\\,b\\=c');
	objects.stop();
});
