import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '../../api/resources.ts';
import { Metrics } from '../../base/metrics.ts';
import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { MemoryStore } from '../../store/memory/memory-store.ts';
import { ApiServer } from '../server.ts';

const JOBS = '/registry/batch/jobs/default/';

/** Values that are not the objects their keys name, and the message for each. */
const DAMAGED: Readonly<Record<string, readonly [string, RegExp]>> = {
	[`${JOBS}cut`]: ['{"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"cu', /not JSON: /],
	[`${JOBS}empty`]: ['', /not JSON: /],
	[`${JOBS}null`]: ['null', /not a complete Job: /],
	[`${JOBS}list`]: ['[1,2]', /not a complete Job: /],
	[`${JOBS}number`]: ['7', /not a complete Job: /],
	[`${JOBS}text`]: ['"kind"', /not a complete Job: /],
	[`${JOBS}other`]: [
		'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"other"},"spec":{"containers":[]}}',
		/not a/,
	],
	'/registry/core/namespaces/a': [
		'{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"b"}}',
		/its metadata names another object/,
	],
	'/registry/coordination.k8s.io/leases/default/l': [
		'{"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"l","namespace":"default"},"spec":5}',
		/spec is not an object/,
	],
};

function serverOn(store: MemoryStore, told: unknown[], discardDamaged = false): ApiServer {
	return new ApiServer({
		store,
		resources,
		discardDamaged,
		clock: new VirtualClock(),
		metrics: new Metrics(),
		random: new SeededRandom(1),
		version: 'test',
		onError: (_where, error) => told.push(error),
	});
}

async function storeWith(values: Readonly<Record<string, string>>): Promise<MemoryStore> {
	const store = new MemoryStore();
	for (const [key, text] of Object.entries(values)) {
		await store.write({ type: 'create', key, value: Buffer.from(text) });
	}
	return store;
}

const GOOD = '{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"good"},"spec":{},"status":{}}';

for (const [key, [text, reason]] of Object.entries(DAMAGED)) {
	test(`a server does not start with the value ${text || 'nothing'}, and names the key and the remedy`, async () => {
		const server = serverOn(await storeWith({ '/registry/core/namespaces/good': GOOD, [key]: text }), []);
		await assert.rejects(server.start(), (error: Error) => {
			assert.equal(error.name, 'DamagedObjectsError');
			assert.ok(error.message.includes(key), error.message);
			assert.match(error.message, reason);
			assert.match(
				error.message,
				/Restore the data folder from a backup, or start once with --discard-damaged/,
			);
			return true;
		});
	});
}

test('with --discard-damaged a server deletes the objects it cannot decode, names each, and serves the others', async () => {
	const damaged = Object.fromEntries(Object.entries(DAMAGED).map(([key, [text]]) => [key, text]));
	const store = await storeWith({ '/registry/core/namespaces/good': GOOD, ...damaged });
	const told: unknown[] = [];
	const server = serverOn(store, told, true);
	await server.start();
	assert.equal(told.length, Object.keys(DAMAGED).length);
	const { object } = await server.request({ method: 'GET', path: '/api/v1/namespaces' });
	assert.ok(typeof object === 'object' && object && 'items' in object && Array.isArray(object.items));
	assert.equal(object.items.length, 1);
	assert.deepEqual(
		(await store.range({ prefix: '' })).entries.map(({ key }) => key),
		['/registry/core/namespaces/good'],
	);
	server.close();
	await serverOn(store, told).start();
});
