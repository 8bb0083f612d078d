import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pods } from '../api/core/pod/definition.ts';
import { resources } from '../api/resources.ts';
import { Metrics } from '../base/metrics.ts';
import { SeededRandom } from '../base/testing/seeded-random.ts';
import { VirtualClock } from '../base/testing/virtual-clock.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';
import { ApiServer } from './server.ts';
import { apiContract } from './testing/api-contract-suite.ts';
import { Seen } from './testing/seen.ts';
import { openTestServer, PODS, podNamed, refusal } from './testing/server-contract-suite.ts';
import { watchContract } from './testing/watch-contract-suite.ts';

apiContract('the API in the process', async ({ server }) => ({ transport: server, close: async () => {} }));
watchContract('watches in the process', async ({ server }) => ({ transport: server, close: async () => {} }));

test('watches in the process are notified before the write resolves', async () => {
	const { server } = await openTestServer();
	const seen = await Seen.open(server, PODS, { resourceVersion: '0' });
	for (const name of ['a', 'b', 'c']) {
		const { object } = await server.request({ method: 'POST', path: PODS, body: podNamed(name) });
		assert.equal(seen.events.at(-1)?.object, object);
	}
});

test('a resourceVersion is an unsigned 64-bit integer', async () => {
	const { server } = await openTestServer();
	for (const [resourceVersion, why] of [
		['x', 'invalid syntax'],
		['-1', 'invalid syntax'],
		['18446744073709551616', 'value out of range'],
	] as const) {
		const query = { resourceVersion };
		const wrong = await refusal(server.request({ method: 'GET', path: PODS, query }));
		assert.equal(wrong.code, 400);
		assert.ok(wrong.message.endsWith(`strconv.ParseUint: parsing "${resourceVersion}": ${why}`));
	}
	server.close();
});

test('readers in the process share one frozen object', async () => {
	const { server } = await openTestServer();
	const { object: created } = await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	const { object: got } = await server.request({ method: 'GET', path: `${PODS}/a` });
	assert.equal(got, created);
	assert.throws(() => {
		(got as { metadata: { labels: unknown } }).metadata.labels = {};
	}, TypeError);
});

test('a watcher that throws loses its watch, and no other watcher does', async () => {
	const { server, faults } = await openTestServer();
	const ended = Promise.withResolvers<Error | undefined>();
	await server.watch(
		{ method: 'GET', path: PODS },
		{
			events: () => {
				throw new Error('broken watcher');
			},
			ended: (error) => ended.resolve(error),
		},
	);
	const seen = await Seen.open(server, PODS);
	await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	assert.deepEqual(await seen.texts(1), ['ADDED a']);
	assert.equal((await ended.promise)?.message.includes('unexpected error'), true);
	assert.equal(faults.length, 1);
});

test('stored objects are the same after a restart', async () => {
	const { server, store, clock } = await openTestServer();
	const { object: created } = await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	server.close();
	const next = new ApiServer({
		store,
		resources,
		clock,
		metrics: new Metrics(),
		random: new SeededRandom(2),
		version: '0.0.0',
		onError: (_where, error) => assert.fail(String(error)),
	});
	await next.start();
	const { object: got } = await next.request({ method: 'GET', path: `${PODS}/a` });
	assert.deepEqual(got, created);
	next.close();
});

test('a store that cannot write causes a 503 with retryAfterSeconds', async () => {
	const { server, store } = await openTestServer();
	await store.close();
	const error = await refusal(server.request({ method: 'POST', path: PODS, body: podNamed('a') }));
	assert.equal(error.code, 503);
});

test('an unexpected error causes a 500 and is reported', async () => {
	const broken = { ...pods, defaults: () => assert.fail('a bug') };
	const faults: unknown[] = [];
	const server = new ApiServer({
		store: new MemoryStore(),
		resources: [broken],
		clock: new VirtualClock(),
		metrics: new Metrics(),
		random: new SeededRandom(1),
		version: '0.0.0',
		onError: (where) => void faults.push(where),
	});
	await server.start();
	const error = await refusal(server.request({ method: 'POST', path: PODS, body: podNamed('a') }));
	assert.equal(error.code, 500);
	assert.equal(error.message.includes('a bug'), false);
	assert.deepEqual(faults, [`POST ${PODS}`]);
});

test('Events are deleted an hour after their last write', async () => {
	const { server, clock, store } = await openTestServer();
	const path = '/api/v1/namespaces/default/events';
	const eventNamed = (name: string): unknown => ({
		metadata: { name },
		involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
		type: 'Normal',
		reason: 'Tested',
	});
	await server.request({ method: 'POST', path, body: eventNamed('old') });
	await server.request({ method: 'POST', path, body: eventNamed('counted') });
	clock.advance(30 * 60_000);
	const contentType = 'application/merge-patch+json';
	await server.request({ method: 'PATCH', path: `${path}/counted`, body: { count: 2 }, contentType });
	const seen = await Seen.open(server, path, { resourceVersion: String(store.revision) });
	clock.advance(31 * 60_000);
	assert.deepEqual(await seen.texts(1), ['DELETED old']);
	clock.advance(30 * 60_000);
	assert.deepEqual(await seen.texts(2), ['DELETED old', 'DELETED counted']);
});

test('history is kept for at least five minutes, and then compacted', async () => {
	const { server, clock, store } = await openTestServer();
	await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	const past = store.revision;
	const exactly = { resourceVersion: String(past), resourceVersionMatch: 'Exact' };
	await server.request({ method: 'DELETE', path: `${PODS}/a` });
	clock.advance(5 * 60_000);
	await server.request({ method: 'GET', path: PODS, query: exactly });
	clock.advance(5 * 60_000);
	const error = await refusal(server.request({ method: 'GET', path: PODS, query: exactly }));
	assert.equal(error.code, 410);
});
