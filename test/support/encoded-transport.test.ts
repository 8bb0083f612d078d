import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { WatchEvent } from '../../src/api/contract/transport.ts';
import { namespaces } from '../../src/api/core/namespace/definition.ts';
import { ApiError } from '../../src/api/errors/api-error.ts';
import { resources } from '../../src/api/resources.ts';
import { ApiServer } from '../../src/apiserver/server.ts';
import { Metrics } from '../../src/base/metrics.ts';
import { SeededRandom } from '../../src/base/testing/seeded-random.ts';
import { VirtualClock } from '../../src/base/testing/virtual-clock.ts';
import { Client } from '../../src/client/client.ts';
import { MemoryStore } from '../../src/store/memory/memory-store.ts';
import { EncodedTransport } from './encoded-transport.ts';

async function start(t: TestContext) {
	const server = new ApiServer({
		...{ store: new MemoryStore(), resources, clock: new VirtualClock(), metrics: new Metrics() },
		...{
			random: new SeededRandom(1),
			version: 'test',
			onError: (where, error) => t.diagnostic(`${where}: ${error}`),
		},
	});
	await server.start();
	t.after(() => server.close());
	return {
		direct: new Client(server).resource(namespaces),
		encoded: new Client(new EncodedTransport(server)).resource(namespaces),
	};
}

const named = (name: string) => ({
	apiVersion: 'v1',
	kind: 'Namespace',
	metadata: { name },
	spec: {},
	status: {},
});

test('answers as bytes are equal to direct ones, frozen, and share no part with another', async (t) => {
	const { direct, encoded } = await start(t);
	await encoded.create(named('one'));
	const [first, second, known] = [
		await encoded.get('one'),
		await encoded.get('one'),
		await direct.get('one'),
	];
	assert.deepEqual(first, known);
	assert.notEqual(first, known);
	assert.notEqual(first.metadata, second.metadata);
	assert.ok(Object.isFrozen(first.metadata));
	assert.deepEqual((await encoded.list()).items, (await direct.list()).items);
});

test('errors as bytes have the same Status', async (t) => {
	const { direct, encoded } = await start(t);
	const errorOf = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
	const [known, found] = [await errorOf(direct.get('none')), await errorOf(encoded.get('none'))];
	assert.ok(known instanceof ApiError && found instanceof ApiError);
	assert.deepEqual(found.status, known.status);
});

test('a watch as bytes delivers events after the write, and its end', async (t) => {
	const { encoded } = await start(t);
	const seen: WatchEvent[] = [];
	const arrived = Promise.withResolvers<void>();
	const failed = Promise.withResolvers<Error | undefined>();
	const watch = await encoded.watch(
		{ resourceVersion: '0' },
		{
			events: (batch) => {
				seen.push(...batch);
				arrived.resolve();
			},
			ended: failed.resolve,
		},
	);
	const created = await encoded.create(named('one'));
	assert.equal(seen.length, 0);
	await arrived.promise;
	assert.deepEqual(seen, [{ type: 'ADDED', object: created }]);
	assert.ok(Object.isFrozen(seen[0]?.object.metadata));
	watch.stop();
	await encoded.create(named('two'));
	await new Promise(setImmediate);
	assert.equal(seen.length, 1);
});
